// @ts-check
// A tested example as a tile: its picture, a frame and a sign for what came of it, and the answer.

import { makeElement, words } from "./dom.js";
import { drawExample } from "./drawing.js";

/**
 * A tested example, as `check_wall` describes it.
 * @typedef {{ id: string, example: any, true: string, now: string | null, guess: string, second: string,
 *   outcome: string | null, sure: string, is_test: boolean, before?: string }} Tested
 */

/** @type {Record<string, string>} */
const SIGNS = { right: "✓", wrong: "✗", not_answered: "?", doubted: "!" };

/**
 * Return what became of an example: "doubted" where the label of one that was learnt from may be wrong, "" if nothing.
 * @param {Tested} item
 */
export function nameOutcome(item) {
  return item.outcome ?? (item.guess && !item.is_test ? "doubted" : "");
}

/**
 * Return the tile of a tested example; nothing to click in it.
 * @param {Tested} item
 * @returns {HTMLElement}
 */
export function renderTested(item) {
  const outcome = nameOutcome(item);
  const picture = makeElement("div");
  picture.append(item.example ? drawExample(item.example, "tile") : makeElement("p", "quiet", item.id));
  const line = makeElement("p", "");
  line.dir = "auto";
  if (outcome) {
    const sign = makeElement("span", "sign", SIGNS[outcome]);
    sign.setAttribute("aria-hidden", "true");
    line.append(sign, makeElement("span", "unseen", `${words(outcome)}: `));
  }
  if (item.guess && item.guess !== item.true) line.append(makeElement("s", "", item.guess), " ");
  line.append(item.true);
  line.title = item.true;
  return makeElement("div", `tested ${outcome}`, picture, line);
}
