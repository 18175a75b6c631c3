// Words of the page in five languages, and numbers as each language writes them.

/** @type {Record<string, Record<string, string>>} */
let messages = {};
let language = "en";

/** Load the sentences of all languages. */
export async function loadMessages() {
  messages = await (await fetch(new URL("messages.json", import.meta.url))).json();
}

/**
 * Return the languages: code and own name.
 * @returns {[string, string][]}
 */
export function listLanguages() {
  return Object.entries(messages).map(([code, texts]) => [code, texts.name]);
}

/** Return the code of the language in use. */
export function getLanguage() {
  return language;
}

/**
 * Use a language; English where it is unknown.
 * @param {string} code
 */
export function setLanguage(code) {
  language = code in messages ? code : "en";
}

/**
 * Return a sentence with its gaps filled.
 * @param {string} key
 * @param {Record<string, unknown>} [values]
 * @returns {string}
 */
export function t(key, values = {}) {
  const text = messages[language][key];
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/** @param {number} probability */
export function formatPercent(probability) {
  return new Intl.NumberFormat(language, { style: "percent" }).format(probability);
}

/** @param {number} value */
export function formatNumber(value) {
  return new Intl.NumberFormat(language, { maximumSignificantDigits: 6 }).format(value);
}

/** @param {string[]} names */
export function formatList(names) {
  return new Intl.ListFormat(language, { type: "disjunction" }).format(names);
}
