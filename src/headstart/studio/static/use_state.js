// @ts-check
// What all parts of Use share: the model that is chosen, and files as people hand them over.

import { findElement } from "./dom.js";
import { listDropped } from "./intake.js";

/** @typedef {{ kind: string, headline: string, mark: string, reason: string, guess: string, second: { label: string, share: number } | null, guesses: { label: string, share: number }[], can_correct: boolean, key: string }} ShownAnswer */

/** @type {{ modality: string, models: { n: number, level: string, level_name: string, verdict: string }[], chosen: number, kinds: string[] }} */
export const state = JSON.parse(findElement("state").textContent || "{}");

/** Return the number of the model that answers. */
export function chosenModel() {
  return state.chosen;
}

/** Return what the examples are: image, text or series. */
export function modality() {
  return state.modality;
}

/**
 * Let files be dropped on an element.
 * @param {HTMLElement} element
 * @param {(files: import("./api.js").NamedFile[]) => unknown} take
 */
export function acceptDrops(element, take) {
  element.addEventListener("dragover", (event) => {
    event.preventDefault();
    element.classList.add("over");
  });
  element.addEventListener("dragleave", () => element.classList.remove("over"));
  element.addEventListener("drop", async (event) => {
    event.preventDefault();
    element.classList.remove("over");
    const files = await listDropped(event.dataTransfer);
    if (files.length) take(files);
  });
}

/**
 * Return the files of a field, with the folders in front of their names, and empty the field.
 * @param {HTMLInputElement} field
 * @returns {import("./api.js").NamedFile[]}
 */
export function takeFiles(field) {
  const files = [...(field.files ?? [])].map((file) => ({ file, name: file.webkitRelativePath || file.name }));
  field.value = "";
  return files;
}
