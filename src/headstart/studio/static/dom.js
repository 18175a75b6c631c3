// @ts-check
// Elements, words and errors of every page.

/**
 * Return the element with an id; the page has it.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function findElement(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`no element ${id}`);
  return element;
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
 * Return all elements that a selector names.
 * @param {string} selector
 * @param {ParentNode} [inside]
 * @returns {HTMLElement[]}
 */
export function listElements(selector, inside = document) {
  return /** @type {HTMLElement[]} */ ([...inside.querySelectorAll(selector)]);
}

/**
 * Make an element with a class and contents; texts are never read as HTML.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} [className]
 * @param {...(string | Node)} contents
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function makeElement(tag, className, ...contents) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...contents);
  return element;
}

/** Return the id of the project of this page; empty outside of projects. */
export function projectId() {
  return document.body.dataset.project ?? "";
}

/** Name in the session's storage of the project whose page Learn begins at once. */
export const LEARN_AT_ONCE = "headstart_learn";

/**
 * Return an address of the JSON interface of this page's project, such as api("jobs").
 * @param {string} path
 */
export function api(path) {
  return `/api/p/${encodeURIComponent(projectId())}/${path}`;
}

/** Return the language of the page. */
export function language() {
  return document.documentElement.lang;
}

const locale = language() === "ar" ? "ar-u-nu-latn" : language();
/** @type {Record<string, string | Record<string, string>>} */
const messages = { ...readMessages("shared-words"), ...readMessages("words") };
const plurals = new Intl.PluralRules(language());

/**
 * Return a message of the page with its places filled; a counting message takes the form that goes with `n`.
 * @param {string} key Of the template's block `words`.
 * @param {Record<string, unknown>} [values]
 * @returns {string}
 */
export function words(key, values = {}) {
  const message = messages[key] ?? key;
  const text = typeof message === "string" ? message : (message[plurals.select(Number(values.n))] ?? message.other);
  return text.replace(/\{(\w+)\}/g, (_, name) => write(values[name]));
}

/** @param {unknown} value */
function write(value) {
  return typeof value === "number" ? formatNumber(value) : String(value ?? "");
}

/**
 * Write a number as the language of the page does.
 * @param {number} value
 * @param {Intl.NumberFormatOptions} [options]
 */
export function formatNumber(value, options) {
  return new Intl.NumberFormat(locale, options).format(value);
}

/**
 * Write a date as the language of the page does.
 * @param {string | number | Date} date
 */
export function formatDate(date) {
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium" }).format(new Date(date));
}

/**
 * Write about how long something takes.
 * @param {number} seconds
 */
export function formatTimeLeft(seconds) {
  if (seconds < 90) return words("seconds_left", { n: Math.max(5, Math.ceil(seconds / 5) * 5) });
  return words("minutes_left", { n: Math.round(seconds / 60) });
}

/**
 * @param {string} id
 * @returns {Record<string, string | Record<string, string>>}
 */
function readMessages(id) {
  return JSON.parse(document.getElementById(id)?.textContent || "{}");
}

/**
 * What to offer beside an error.
 * @typedef {{ label: string, run: () => unknown }} Repair
 */

/**
 * Show in place why something did not work, with its repair as a button.
 * @param {unknown} error What api.js threw, or another error.
 * @param {{ place?: HTMLElement, repair?: Repair }} [options] Place: the page's own line for problems if not given.
 */
export function showError(error, options = {}) {
  const place = options.place ?? findElement("problem");
  const { problem = "", hint = "" } = /** @type {Partial<import("./api.js").Problem>} */ (error);
  if (!problem) console.error(error);
  place.classList.add("notice", "error");
  place.setAttribute("role", "alert");
  place.replaceChildren(makeElement("strong", "", problem || words("failed")));
  if (hint) place.append(makeElement("span", "", hint));
  if (options.repair) {
    const { label, run } = options.repair;
    const button = makeElement("button", "button small", label);
    button.type = "button";
    button.addEventListener("click", () => {
      place.hidden = true;
      run();
    });
    place.append(button);
  }
  place.hidden = false;
  place.scrollIntoView({ block: "nearest" });
}

/**
 * Do some work that may fail; an error is shown in place, and undefined returned.
 * @template Result
 * @param {() => Promise<Result>} work
 * @param {{ place?: HTMLElement, repair?: Repair, busy?: HTMLElement }} [options] Busy: a button that waits meanwhile.
 * @returns {Promise<Result | undefined>}
 */
export async function guard(work, options = {}) {
  const place = options.place ?? document.getElementById("problem");
  if (place) place.hidden = true;
  options.busy?.setAttribute("aria-busy", "true");
  try {
    return await work();
  } catch (error) {
    showError(error, options);
    return undefined;
  } finally {
    options.busy?.removeAttribute("aria-busy");
  }
}

/**
 * Set how full a meter is; it is an element of class meter.
 * @param {HTMLElement} meter
 * @param {number} share 0 to 1.
 * @param {string} [text] What a screen reader says.
 */
export function setMeter(meter, share, text) {
  const bar = meter.firstElementChild ?? meter.appendChild(makeElement("span"));
  /** @type {HTMLElement} */ (bar).style.inlineSize = `${Math.round(1000 * Math.min(1, Math.max(0, share))) / 10}%`;
  meter.setAttribute("role", "progressbar");
  meter.setAttribute("aria-valuemin", "0");
  meter.setAttribute("aria-valuemax", "100");
  meter.setAttribute("aria-valuenow", String(Math.round(100 * share)));
  if (text) meter.setAttribute("aria-valuetext", text);
}
