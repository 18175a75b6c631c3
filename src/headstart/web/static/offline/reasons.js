// Reasons in English, with numbers as Python writes them. The twin of headstart/flow/inference/reason_texts.py.

/** @typedef {import("./api.js").ClassProbability} ClassProbability */

const MAX_NAMED = 3;

/**
 * Return `f"{value:.0f}"` of Python: halves go to the even neighbour.
 * @param {number} value
 */
export function formatWhole(value) {
  const low = Math.floor(value);
  return String(value - low === 0.5 ? low + (low % 2) : Math.round(value));
}

/**
 * Return `f"{value:.{digits}g}"` of Python.
 * @param {number} value
 * @param {number} [digits]
 */
export function formatSignificant(value, digits = 6) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  const [mantissa, power] = value.toExponential(digits - 1).split("e");
  const exponent = Number(power);
  /** @param {string} text */
  const dropZeros = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
  if (exponent >= -4 && exponent < digits) return dropZeros(value.toFixed(digits - 1 - exponent));
  return `${dropZeros(mantissa)}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

/** @param {number} share */
function formatPercent(share) {
  return `${formatWhole(100 * share)} %`;
}

/** @param {ClassProbability} named */
function nameClass({ label, probability }) {
  return `${label} (${formatPercent(probability)})`;
}

/** @param {ClassProbability[]} classes */
function joinClasses(classes) {
  const more = classes.length > MAX_NAMED ? ` and ${classes.length - MAX_NAMED} more` : "";
  return `${classes.slice(0, MAX_NAMED).map(nameClass).join(", ")}${more}`;
}

/** @param {{sure: ClassProbability[], possible: ClassProbability[]}} values */
function listLabels({ sure, possible }) {
  const parts = [sure.length ? `sure: ${joinClasses(sure)}` : "", possible.length ? `possible: ${joinClasses(possible)}` : ""];
  return parts.filter(Boolean).join("; ") || "no label is likely enough";
}

/** @type {import("./api.js").ReasonTexts} */
const TEXTS = {
  none: () => "",
  sure: ({ probability }) => `${formatPercent(probability)} sure`,
  only_likely_class: ({ probability }) => `${formatPercent(probability)} sure; no other class is likely enough`,
  several_likely_classes: ({ classes }) => `may be ${joinClasses(classes)}`,
  sure_and_possible_labels: listLabels,
  too_few_rows_for_labels: (values) =>
    `${values.n_rows} training rows are too few to say which labels are sure or possible`,
  too_few_rows_for_sets: (values) => `${values.n_rows} training rows are too few to rule any class out`,
  no_held_out_rows: () => "no training row could be held out, so no class can be ruled out",
  asking_costs_less: (values) =>
    `asking costs ${formatSignificant(values.asking_cost)}; the cheapest answer, ${values.label}, is expected to cost ` +
    formatSignificant(values.expected_cost, 2),
  likelier_class_costs_more: (values) =>
    `${nameClass(values)} is more probable, but a mistake would be expected to cost ` +
    formatSignificant(values.expected_cost, 2),
  like_reserved_class: (values) => `most like the training rows of ${nameClass(values)}`,
  out_of_distribution: ({ share }) =>
    `unlike the training rows: farther from them than ${formatPercent(share)} of them are from each other`,
  interval_coverage: ({ coverage }) => `${formatPercent(coverage)} of such ranges are stated to hold the truth`,
  too_few_rows_for_interval: () => "too few training rows to give a range",
  below_least_probability: (values) =>
    `${nameClass(values)} is the best guess, but less probable than ${formatPercent(values.least)}`,
  too_small: () => "it has too few pixels: send the original picture, or take it again from nearer",
  too_dark: () => "it is too dark: take it again with more light",
  too_bright: () => "it is too bright: take it again with less light",
  one_colour: () => "it is one colour and nothing else: take it again",
  too_blurred: () => "it is too blurred: hold still and take it again",
  no_words: () => "it has no letter, digit or emoji: write words",
  no_values: () => "it has no values",
  constant: () => "it has the same value all along: look whether the device works, and measure it again",
};

/**
 * Return a reason as the end of a sentence; empty where there is none.
 * @param {import("./api.js").Reason} reason
 */
export function describeReason({ code, values }) {
  return /** @type {(values: unknown) => string} */ (TEXTS[code])(values);
}
