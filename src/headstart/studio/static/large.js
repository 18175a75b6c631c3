// @ts-check
// One example alone on the screen.

import { drawExample } from "./drawing.js";
import { findElement } from "./dom.js";

/** @typedef {import("./drawing.js").DrawnExample} DrawnExample */
/** @typedef {{ label: string, run: () => unknown }} LargeAction */

const dialog = /** @type {HTMLDialogElement} */ (findElement("large"));
/** @type {LargeAction | undefined} */
let action;

/**
 * Show an example large, with one thing to do about it.
 * @param {DrawnExample} example
 * @param {LargeAction} [offered]
 */
export function openLarge(example, offered) {
  action = offered;
  findElement("large-example").replaceChildren(drawExample(example, "large"));
  findElement("large-name").textContent = example.kind ? `${example.kind} · ${example.name}` : example.name;
  findElement("large-out").hidden = !offered;
  findElement("large-out").textContent = offered?.label ?? "";
  dialog.showModal();
}

findElement("large-close").addEventListener("click", () => dialog.close());
findElement("large-out").addEventListener("click", () => {
  dialog.close();
  action?.run();
});
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
});
