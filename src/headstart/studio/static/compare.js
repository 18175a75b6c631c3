// @ts-check
// Two models: the examples that changed, with what was said before.

import { findElement, makeElement, words } from "./dom.js";
import { renderTested } from "./tested.js";

/** @typedef {import("./tested.js").Tested & { before: string, gain: number }} Changed */

/** @type {Changed[]} */
const items = JSON.parse(findElement("items").textContent || "[]");
for (const item of items) {
  const tile = renderTested({ ...item, outcome: item.guess === item.true ? "right" : "wrong" });
  const change = item.gain > 0 ? "better" : item.gain < 0 ? "worse" : "same";
  const line = makeElement("p", "", makeElement("b", "", words(change)), " ");
  line.append(words("before_after", { before: item.before, after: item.guess }));
  line.dir = "auto";
  tile.append(line);
  findElement("changed").append(makeElement("li", "", tile));
}
