// Tables as people have them: text with tabs, semicolons or commas, quoted or not, and the first sheet of a workbook.

/** @typedef {string[][]} Table Cells, line by line. */

const SEPARATORS = ["\t", ";", ","];
const CENTRAL_ENTRY = 0x02014b50;
const END_OF_DIRECTORY = 0x06054b50;
const STORED = 0;
const MAX_UNPACKED = 200e6;

/** @param {string} text */
const dropQuoted = (text) => text.replace(/"[^"]*"/g, "");

/**
 * Return the mark between the cells of a table; spaces where there is no other.
 * @param {string} text
 * @returns {string | RegExp}
 */
export function findSeparator(text) {
  const bare = dropQuoted(text);
  const header = bare.slice(0, bare.search(/\n|$/));
  const marks = [header, bare].map((part) => SEPARATORS.find((mark) => part.includes(mark)));
  return marks[0] ?? marks[1] ?? /\s+/;
}

/**
 * Return the cells of a text; empty lines are left out, and quotation marks hold cells together.
 * @param {string} text
 * @param {string | RegExp} separator
 * @returns {Table}
 */
export function splitCells(text, separator) {
  const plain = text.replace(/^\ufeff/, "").replace(/\r\n?/g, "\n");
  if (typeof separator !== "string" || !plain.includes('"')) {
    const lines = plain.split("\n").filter((line) => line.trim() !== "");
    return lines.map((line) => (typeof separator === "string" ? line : line.trim()).split(separator));
  }
  const rows = [[""]];
  let isQuoted = false;
  for (let at = 0; at < plain.length; at++) {
    const sign = plain[at];
    const row = rows[rows.length - 1];
    if (isQuoted && sign === '"' && plain[at + 1] === '"') row[row.length - 1] += plain[++at];
    else if (sign === '"' && (isQuoted || row[row.length - 1] === "")) isQuoted = !isQuoted;
    else if (!isQuoted && sign === separator) row.push("");
    else if (!isQuoted && sign === "\n") rows.push([""]);
    else row[row.length - 1] += sign;
  }
  return rows.filter((row) => row.some((cell) => cell.trim() !== ""));
}

/** @param {Uint8Array<ArrayBuffer>} bytes @param {number} method */
async function unpack(bytes, method) {
  if (method === STORED) return new TextDecoder().decode(bytes);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Response(stream).text();
}

/**
 * Return the texts of the files in a zip archive whose names match.
 * @param {ArrayBuffer} content
 * @param {RegExp} wanted
 * @returns {Promise<Map<string, string>>}
 */
async function readArchive(content, wanted) {
  const view = new DataView(content);
  let end = content.byteLength - 22;
  while (end >= 0 && view.getUint32(end, true) !== END_OF_DIRECTORY) end--;
  if (end < 0) throw new Error("this is no workbook");
  let at = view.getUint32(end + 16, true);
  let unpacked = 0;
  /** @type {Map<string, string>} */
  const texts = new Map();
  while (at < end && view.getUint32(at, true) === CENTRAL_ENTRY) {
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((place) => view.getUint16(at + place, true));
    const name = new TextDecoder().decode(new Uint8Array(content, at + 46, nameLength));
    if (wanted.test(name)) {
      unpacked += view.getUint32(at + 24, true);
      if (unpacked > MAX_UNPACKED) throw new Error("this workbook is too large for a page");
      const local = view.getUint32(at + 42, true);
      const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
      const bytes = new Uint8Array(content, start, view.getUint32(at + 20, true));
      texts.set(name, await unpack(bytes, view.getUint16(at + 10, true)));
    }
    at += 46 + nameLength + extraLength + commentLength;
  }
  return texts;
}

/** @param {string | undefined} text */
const parseXml = (text) => new DOMParser().parseFromString(text ?? "<none/>", "application/xml");

/** @param {Element} element */
const joinTexts = (element) => [...element.getElementsByTagName("t")].map((part) => part.textContent).join("");

/** @param {string} place Of a cell, such as "AB12". */
function findColumn(place) {
  return [...place.replace(/\d+/g, "")].reduce((sum, letter) => 26 * sum + letter.charCodeAt(0) - 64, 0) - 1;
}

/**
 * Return the cells of the first sheet of a workbook (.xlsx).
 * @param {ArrayBuffer} content
 * @returns {Promise<Table>}
 */
export async function readWorkbook(content) {
  const texts = await readArchive(content, /^xl\/(sharedStrings|worksheets\/sheet\d+)\.xml$/);
  const shared = [...parseXml(texts.get("xl/sharedStrings.xml")).getElementsByTagName("si")].map(joinTexts);
  const names = [...texts.keys()].filter((name) => name.includes("worksheets")).sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  const rows = [...parseXml(texts.get(names[0] ?? "")).getElementsByTagName("row")].map((row) => {
    /** @type {string[]} */
    const cells = [];
    for (const cell of row.getElementsByTagName("c")) {
      const column = findColumn(cell.getAttribute("r") ?? "") >= 0 ? findColumn(cell.getAttribute("r") ?? "") : cells.length;
      const value = cell.getElementsByTagName("v")[0]?.textContent ?? "";
      while (cells.length < column) cells.push("");
      const kind = cell.getAttribute("t");
      cells.push(kind === "s" ? shared[Number(value)] ?? "" : kind === "inlineStr" ? joinTexts(cell) : value);
    }
    return cells;
  });
  return rows.filter((cells) => cells.some((cell) => cell.trim() !== ""));
}

/**
 * Return the cells of a file, and the mark that parted them (a tab for workbooks).
 * @param {File} file
 * @returns {Promise<{cells: Table, separator: string | RegExp}>}
 */
export async function readTableFile(file) {
  if (/\.xls[xm]$/i.test(file.name)) return { cells: await readWorkbook(await file.arrayBuffer()), separator: "," };
  const text = await file.text();
  const separator = findSeparator(text);
  return { cells: splitCells(text, separator), separator };
}
