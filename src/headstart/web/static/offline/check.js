// Repeats synthetic inputs and compares the answers with those of the machine that made this page (?check=1).

import { listModels, predictInputs } from "./api.js";

/** @typedef {import("./api.js").Answer} Answer */
/** @typedef {import("./api.js").Input} Input */
/** @typedef {{modality: string, rows: {input: unknown, expected: Answer}[]}} CheckDocument */

const NOT_COMPARED = ["reason", "input", "top"]; // `reason` and `top` repeat other fields.
const MAX_DIFFERENCE = 1e-3;

/** @param {unknown} content Base64. */
function decodeImageFile(content) {
  const bytes = Uint8Array.from(atob(String(content)), (character) => character.charCodeAt(0));
  return new Blob([bytes], { type: "image/png" });
}

/** @type {Record<string, (input: unknown) => Omit<Input, "name">>} */
const INPUTS = {
  image: (input) => ({ blob: decodeImageFile(input) }),
  text: (input) => ({ text: String(input) }),
  series: (input) => ({ series: /** @type {number[][]} */ (input) }),
};

/**
 * Return the largest difference of the numbers in two documents; infinite where anything else differs.
 * @param {unknown} one
 * @param {unknown} other
 * @returns {number}
 */
function measureDifference(one, other) {
  if (typeof one === "number" && typeof other === "number") return Math.abs(one - other);
  if (one === null || other === null || typeof one !== "object" || typeof other !== "object") return one === other ? 0 : Infinity;
  const [fields, otherFields] = [new Map(Object.entries(one)), new Map(Object.entries(other))];
  const names = new Set([...fields.keys(), ...otherFields.keys()].filter((name) => !NOT_COMPARED.includes(name)));
  const differences = [...names].map((name) =>
    fields.has(name) && otherFields.has(name) ? measureDifference(fields.get(name), otherFields.get(name)) : Infinity);
  return Math.max(0, ...differences);
}

/** Compare the answers, and show the result. */
export async function checkAnswers() {
  /** @type {CheckDocument} */
  const { modality, rows } = await (await fetch(new URL("check.json", import.meta.url))).json();
  const [model] = await listModels();
  const times = [];
  const differences = [];
  for (const { input, expected } of rows) {
    const start = performance.now();
    const [answer] = await predictInputs(model, [{ ...INPUTS[modality](input), name: "" }]);
    times.push(performance.now() - start);
    differences.push(measureDifference(answer, expected));
  }
  const same = differences.filter((difference) => difference <= MAX_DIFFERENCE).length;
  const largest = Math.max(...differences);
  const result = { n_rows: rows.length, same, largest, first_ms: times[0], next_ms: Math.max(...times.slice(1)) };
  document.documentElement.dataset.check = JSON.stringify(result, (_, value) => (value === Infinity ? "other words" : value));
  /** @type {HTMLElement} */ (document.getElementById("status")).textContent =
    `Check: ${same} of ${rows.length} answers are those of the machine that made this page; largest difference ` +
    `${largest.toPrecision(2)}; first answer ${Math.round(times[0])} ms, next at most ${Math.round(result.next_ms)} ms.`;
}
