// @ts-check
// Boxes of a kind: its name, how many, a few examples that open on click.

import { drawExample } from "./drawing.js";
import { formatNumber, makeElement, words } from "./dom.js";

/** @typedef {import("./drawing.js").DrawnExample} DrawnExample */

/** @type {Record<string, { level: string, words: string }>} */
const LEVELS = {
  enough: { level: "ready", words: "code_enough" },
  some: { level: "supervised", words: "code_some" },
  few: { level: "not_ready", words: "code_few" },
};

/**
 * Return whether so many are enough, as a sign with words.
 * @param {string} code
 * @returns {HTMLElement}
 */
export function makeLevel(code) {
  const { level, words: key } = LEVELS[code];
  return makeElement("span", `level ${level}`, words(key));
}

/**
 * @param {string} code
 * @returns {string} The class of its colour.
 */
export function nameLevel(code) {
  return LEVELS[code]?.level ?? "";
}

/**
 * Return the pictures of a box.
 * @param {DrawnExample[]} items
 * @param {(item: DrawnExample) => void} open
 * @returns {HTMLElement}
 */
export function makePictures(items, open) {
  const [first] = items;
  const form = first?.picture ? "of-photos" : first?.series ? "of-series" : "of-texts";
  const list = makeElement("ul", `box-pictures ${form}`);
  for (const item of items) {
    const button = makeElement("button", "box-picture", drawExample(item, "tile"));
    button.type = "button";
    button.addEventListener("click", () => open(item));
    list.append(makeElement("li", "", button));
  }
  return list;
}

/**
 * Return a box.
 * @param {{ name: string, n: number, code?: string, items: DrawnExample[] }} kind
 * @param {(item: DrawnExample) => void} open
 * @returns {HTMLElement}
 */
export function makeBox(kind, open) {
  const title = makeElement("h2", "box-title", kind.name);
  title.dir = "auto";
  const head = makeElement("div", "box-head", title, makeElement("span", "number", formatNumber(kind.n)));
  if (kind.code && kind.n) head.append(makeLevel(kind.code));
  const box = makeElement("section", `card box${kind.n ? "" : " empty-box"}`, head);
  box.setAttribute("aria-label", kind.name);
  if (kind.items.length) box.append(makePictures(kind.items, open));
  return box;
}

/**
 * Write the line under the kinds: whether it is enough to begin.
 * @param {{ name: string, n: number, code: string }[]} kinds
 * @returns {HTMLElement | undefined}
 */
export function describeReadiness(kinds) {
  if (kinds.length < 2) return undefined;
  const few = kinds.filter((kind) => kind.code === "few");
  const some = kinds.filter((kind) => kind.code === "some");
  const code = few.length ? "few" : some.length ? "some" : "enough";
  const least = Math.min(...kinds.map((kind) => kind.n));
  const names = (few.length ? few : some).map((kind) => `“${kind.name}”`);
  const shown = names.length > 4 ? `${names.slice(0, 4).join(", ")} …` : names.join(", ");
  /** @type {Record<string, string>} */
  const texts = {
    few: words("few_kinds", { n: least, names: shown }),
    some: words("some_kinds", { names: shown }),
    enough: words("enough_all", { n: least }),
  };
  return makeElement("span", `level readiness-words ${nameLevel(code)}`, texts[code]);
}
