// Inputs from what people choose, type or paste: images, texts, and series from tables.

import { showProblem } from "./dom.js";
import { t } from "./i18n.js";
import { findSeparator, readTableFile, splitCells } from "./tables.js";

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
 * Return the texts of a file: one a line, or the text columns of training of a table.
 * @param {import("./api.js").Model} model
 * @param {File} file
 * @returns {Promise<Input[]>}
 */
export async function makeFileTextInputs(model, file) {
  const texts = /\.(txt|text|md)$/i.test(file.name)
    ? (await file.text()).replace(/^\ufeff/, "").split(/\r\n?|\n/)
    : joinTextColumns((await readTableFile(file)).cells, listTextColumns(model.columns ?? {}));
  return texts.flatMap(makeTextInputs);
}

/** @param {Record<string, string>} columns By role. */
function listTextColumns(columns) {
  const several = Object.keys(columns).filter((role) => /^text \d+$/.test(role))
    .sort((one, other) => Number(one.slice(5)) - Number(other.slice(5)));
  return (several.length ? several : ["text"]).map((role) => columns[role] ?? "text");
}

/**
 * Return the texts of a table: columns found by name, else the one with the longest cells.
 * @param {string[][]} cells
 * @param {string[]} names
 */
function joinTextColumns(cells, names) {
  const header = (cells[0] ?? []).map(normaliseName);
  const places = names.map((name) => header.indexOf(normaliseName(name)));
  if (!places.includes(-1)) {
    return cells.slice(1).map((row) => places.map((place) => row[place] ?? "").filter((text) => text.trim()).join("\n"));
  }
  const lengths = header.map((_, place) => cells.reduce((sum, row) => sum + (row[place] ?? "").length, 0));
  const longest = lengths.indexOf(Math.max(...lengths));
  return (header.length > 1 ? cells.slice(1) : cells).map((row) => row[longest] ?? "");
}

/**
 * Read cells as numbers: a missing value is null, what is no number NaN.
 * @param {string[]} cells
 * @param {string | RegExp} separator A comma: it is no decimal sign.
 * @returns {Row}
 */
function readNumbers(cells, separator) {
  return cells.map((cell) => {
    const plain = separator === "," ? cell.trim() : cell.trim().replace(",", ".");
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

/** @param {string[]} moments */
function orderMoments(moments) {
  const numbers = moments.map((moment) => (moment.trim() === "" ? NaN : Number(moment.replace(",", "."))));
  const places = Array.from(moments.keys());
  if (!numbers.some(Number.isNaN)) return places.sort((a, b) => numbers[a] - numbers[b]);
  const areDates = moments.every((moment) => /^\d{4}-\d{2}/.test(moment)); // Dates of ISO 8601 sort as text.
  return areDates ? places.sort((a, b) => (moments[a] < moments[b] ? -1 : moments[a] > moments[b] ? 1 : a - b)) : places;
}

/**
 * Return the series of a table with a row for each time step; null where it lacks the columns of training.
 * @param {string[][]} cells
 * @param {Record<string, string>} columns By role.
 * @param {string | RegExp} separator
 */
function readLongTable(cells, columns, separator) {
  const header = cells[0].map(normaliseName);
  /** @param {string | undefined} name */
  const placeOf = (name) => (name === undefined ? -1 : header.indexOf(normaliseName(name)));
  const channels = Object.keys(columns).filter((role) => /^channel \d+$/.test(role))
    .sort((one, other) => Number(one.slice(8)) - Number(other.slice(8))).map((role) => placeOf(columns[role]));
  const [seriesPlace, timePlace] = [placeOf(columns.series), placeOf(columns.time)];
  if (seriesPlace < 0 || !channels.length || channels.includes(-1)) return null;
  /** @type {Map<string, string[][]>} */
  const groups = new Map();
  for (const row of cells.slice(1)) {
    const name = (row[seriesPlace] ?? "").trim();
    const rows = groups.get(name);
    if (rows) rows.push(row);
    else groups.set(name, [row]);
  }
  return [...groups].map(([name, rows]) => {
    const order = timePlace < 0 ? Array.from(rows.keys()) : orderMoments(rows.map((row) => (row[timePlace] ?? "").trim()));
    const values = channels.map((place) => readNumbers(order.map((at) => rows[at][place] ?? ""), separator));
    return { name, values };
  });
}

/**
 * Return the series of a pasted table; columns are found by the names of training, where there are names.
 * @param {string[][]} cells
 * @param {string | RegExp} separator
 * @param {number} nChannels
 * @param {InputColumns | null} known
 * @returns {Row[][] | null} null: some of it is no number.
 */
export function readSeries(cells, separator, nChannels, known = null) {
  const columns = known && cells.length > 1 ? findColumns(cells[0], known) : null;
  if (columns) {
    const series = readNamedColumns(cells.slice(1).map((row) => readNumbers(row, separator)), columns);
    return series.flat(2).some(isNoNumber) ? null : series;
  }
  const rows = cells.map((row) => readNumbers(row, separator));
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
 * Return the series of a table as inputs; shows what is wrong with it, if anything.
 * @param {import("./api.js").Model} model
 * @param {{cells: string[][], separator: string | RegExp}} table
 * @param {string} name Of the file; empty: typed or pasted.
 * @returns {Input[]}
 */
function makeTableInputs(model, { cells, separator }, name) {
  let series = null;
  try {
    const long = cells.length > 1 ? readLongTable(cells, model.columns ?? {}, separator) : null;
    if (long && !long.some((one) => one.values.flat().some(isNoNumber))) {
      return long.map((one) => ({ series: one.values, name: `${name || t("a_series")}: ${one.name}` }));
    }
    series = long ? null : readSeries(cells, separator, model.n_channels, model.input_columns || null);
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

/**
 * Return the series of a text that was typed or pasted.
 * @param {import("./api.js").Model} model
 * @param {string} text
 */
export function makeSeriesInputs(model, text) {
  const separator = findSeparator(text);
  return makeTableInputs(model, { cells: splitCells(text, separator), separator }, "");
}

/**
 * Return the series of a file.
 * @param {import("./api.js").Model} model
 * @param {File} file
 */
export async function makeFileSeriesInputs(model, file) {
  return makeTableInputs(model, await readTableFile(file), file.name);
}
