// Inputs from what people choose, type or paste: images, texts, and series from tables.

import { showProblem } from "./dom.js";
import { t } from "./i18n.js";

/** @typedef {import("./api.js").Input} Input */
/** @typedef {import("./api.js").InputColumns} InputColumns */
/** @typedef {(number | null)[]} Row */

const LONG_NAME = 60;
const MAX_NAMED_COLUMNS = 5;
const MISSING = /^(nan|na|null|-)$/i;

/**
 * @param {Iterable<File>} files
 * @returns {Input[]}
 */
export function makeImageInputs(files) {
  return [...files].map((blob) => ({ blob, name: blob.name || t("photo"), preview: URL.createObjectURL(blob) }));
}

/**
 * @param {string} text
 * @returns {Input[]}
 */
export function makeTextInputs(text) {
  const whole = text.trim();
  return whole ? [{ text: whole, name: whole.length > LONG_NAME ? `${whole.slice(0, LONG_NAME)}…` : whole }] : [];
}

/**
 * Read one line of a table: a missing value is null, what is no number NaN.
 * @param {string} line
 * @param {string | RegExp} separator
 * @returns {Row}
 */
function readLine(line, separator) {
  return line.split(separator).map((part) => {
    const plain = separator === "," ? part.trim() : part.trim().replace(",", ".");
    return plain === "" || MISSING.test(plain) ? null : Number(plain);
  });
}

/** @param {string} name */
const normaliseName = (name) => name.trim().toLowerCase().replace(/[\s_.\-]+/g, "");

/** @param {number | null} value */
const isNoNumber = (value) => Number.isNaN(value);

/**
 * Find the columns of training under a header: for each channel a list of places; null where there is no header.
 * @param {string[]} header
 * @param {InputColumns} known
 */
function findColumns(header, known) {
  const places = new Map(header.map((name, place) => [normaliseName(name), place]));
  /** @param {string} name */
  const placeOf = (name) => (name === "" ? -1 : places.get(normaliseName(name)) ?? -1);
  const wide = known.layout === "wide" ? known.values : [];
  const channels = known.channels.length > 1 ? known.channels.map((name) => [name]) : [];
  for (const names of [wide, channels]) {
    const flat = names.flat().filter((name) => name !== "");
    if (flat.length && flat.every((name) => places.has(normaliseName(name)))) {
      return { isWide: names === wide, places: names.map((one) => one.map(placeOf)) };
    }
  }
  const isNamed = header.some((name) => name.trim() !== "" && Number.isNaN(Number(name)) && !MISSING.test(name.trim()));
  const required = (wide.length ? wide : channels).flat().filter((name) => name !== "");
  if (isNamed && required.length && header.length > 1) {
    const missing = required.filter((name) => !places.has(normaliseName(name)));
    throw new Error(missing.slice(0, MAX_NAMED_COLUMNS).join(", "));
  }
  return null;
}

/**
 * @param {Row[]} rows
 * @param {{isWide: boolean, places: number[][]}} columns
 * @returns {Row[][]}
 */
function readNamedColumns(rows, { isWide, places }) {
  /** @param {Row} row @param {number} place */
  const cell = (row, place) => (place < 0 || place >= row.length ? null : row[place]);
  if (isWide) return rows.map((row) => places.map((steps) => steps.map((place) => cell(row, place))));
  return [places.map(([place]) => rows.map((row) => cell(row, place)))];
}

/**
 * Return the series of a pasted or opened table; columns are found by the names of training, where there are names.
 * @param {string} text
 * @param {number} nChannels
 * @param {InputColumns | null} known
 * @returns {Row[][] | null} null: some of it is no number.
 */
export function readSeries(text, nChannels, known = null) {
  const lines = text.replace(/\r/g, "").split("\n").filter((line) => line.trim() !== "");
  const separator = ["\t", ";", ","].find((mark) => lines.some((line) => line.includes(mark))) || /\s+/;
  const columns = known && lines.length > 1 ? findColumns(lines[0].split(separator), known) : null;
  if (columns) {
    const series = readNamedColumns(lines.slice(1).map((line) => readLine(line, separator)), columns);
    return series.flat(2).some(isNoNumber) ? null : series;
  }
  const rows = lines.map((line) => readLine(separator instanceof RegExp ? line.trim() : line, separator));
  const numbers = rows.filter((row, place) => place > 0 || rows.length === 1 || !row.some(isNoNumber));
  if (numbers.flat().some(isNoNumber)) return null;
  const width = nChannels > 1 ? nChannels : 1;
  if (numbers.length > width && numbers.every((row) => row.length === width)) {
    return [Array.from({ length: width }, (_, channel) => numbers.map((row) => row[channel]))];
  }
  const series = [];
  for (let start = 0; start + width <= numbers.length; start += width) series.push(numbers.slice(start, start + width));
  return series;
}

/**
 * Return the series of a text as inputs; shows what is wrong with it, if anything.
 * @param {import("./api.js").Model} model
 * @param {string} text
 * @param {string} name Of the file; empty: typed or pasted.
 * @returns {Input[]}
 */
export function makeSeriesInputs(model, text, name) {
  let series = null;
  try {
    series = readSeries(text, model.n_channels, model.input_columns || null);
  } catch (missing) {
    const names = missing instanceof Error ? missing.message : String(missing);
    showProblem({ status: -1, problem: t("columns_missing", { names }), hint: "" });
    return [];
  }
  if (series === null) {
    showProblem({ status: -1, problem: t("no_numbers"), hint: "" });
    return [];
  }
  return series.map((one, row) => ({ series: one, name: `${name || t("a_series")} ${row + 1}` }));
}
