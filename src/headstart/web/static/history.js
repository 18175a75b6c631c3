// Earlier answers: on this device only, to be taken home as a CSV.

import { findElement, makeElement } from "./dom.js";
import { getLanguage, t } from "./i18n.js";

/** @typedef {Record<string, string | number>} Entry */

const STORAGE_KEY = "headstart-history";
const MAX_ENTRIES = 200;
const MAX_SHOWN = 20;
const COLUMNS = ["time", "model", "input", "kind", "answer", "probability", "reason"];

/** @returns {Entry[]} */
function readEntries() {
  try {
    const entries = JSON.parse(localStorage.getItem(STORAGE_KEY) || "[]");
    return Array.isArray(entries) ? entries : [];
  } catch {
    return [];
  }
}

/**
 * Keep an answer; returns whether the device had room for it.
 * @param {import("./api.js").Model} model
 * @param {import("./api.js").Answer} answer
 * @param {import("./api.js").Input} input
 */
export function storeEntry(model, answer, input) {
  const probability = typeof answer.probability === "number" ? answer.probability : "";
  const entry = { time: new Date().toISOString(), model: model.name, input: input.name, kind: answer.kind,
    answer: answer.answer === null ? "" : answer.answer, probability, reason: answer.reason };
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify([entry, ...readEntries()].slice(0, MAX_ENTRIES)));
    return true;
  } catch {
    return false;
  }
}

/** Show the newest entries. */
export function showHistory() {
  const entries = readEntries();
  findElement("history").hidden = entries.length === 0;
  findElement("history-list").replaceChildren(...entries.slice(0, MAX_SHOWN).map((entry) => {
    const item = makeElement("li");
    const time = makeElement("time", "", new Date(entry.time).toLocaleString(getLanguage()));
    time.dateTime = String(entry.time);
    const word = entry.kind === "label" ? String(entry.answer) : t(String(entry.kind));
    item.append(time, makeElement("bdi", "", String(entry.input)), ": ", makeElement("bdi", "", word));
    return item;
  }));
}

/**
 * Return a cell of a CSV; what a spreadsheet would take for a formula is marked as text.
 * @param {string | number} value
 */
function writeCell(value) {
  const text = String(value);
  const harmless = /^'*[=+\-@\t\r\n＝＋－＠]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

function writeCsv() {
  const lines = [COLUMNS, ...readEntries().map((entry) => COLUMNS.map((name) => entry[name] ?? ""))];
  return "\ufeff" + lines.map((line) => line.map(writeCell).join(",")).join("\r\n") + "\r\n";
}

/** Offer the entries as a file. */
export function saveHistory() {
  const link = makeElement("a");
  link.href = URL.createObjectURL(new Blob([writeCsv()], { type: "text/csv" }));
  link.download = "headstart.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

/** Delete all entries. */
export function deleteHistory() {
  localStorage.removeItem(STORAGE_KEY);
  showHistory();
}
