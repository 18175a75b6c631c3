// Elements of the page, and its line for problems.

import { t } from "./i18n.js";

/**
 * Return the element with an id; the page has it.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function findElement(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/**
 * Return the input, textarea or button with an id.
 * @param {string} id
 * @returns {HTMLInputElement}
 */
export function findField(id) {
  return /** @type {HTMLInputElement} */ (findElement(id));
}

/**
 * Return the list of choices with an id.
 * @param {string} id
 * @returns {HTMLSelectElement}
 */
export function findSelect(id) {
  return /** @type {HTMLSelectElement} */ (findElement(id));
}

/**
 * Make an element with a class and a text.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} [className]
 * @param {string} [text]
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function makeElement(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

/**
 * Show why something did not work; where the access code is missing, also the form for it.
 * @param {unknown} error A problem of api.js, or an error of our own.
 */
export function showProblem(error) {
  const { status = -1, problem = String(error), hint = "" } = /** @type {Partial<import("./api.js").Problem>} */ (error);
  /** @type {Record<number, string>} */
  const texts = { 0: "unreachable", 401: "token_wrong", 413: "too_large", 503: "busy" };
  const known = status in texts ? t(texts[status]) : t("failed");
  const details = status === 0 || status === 401 ? "" : ` ${problem} ${hint}`;
  findElement("problem").textContent = known + details;
  findElement("problem").hidden = false;
  findElement("problem").scrollIntoView({ block: "center" });
  findElement("token-form").hidden = status !== 401;
}
