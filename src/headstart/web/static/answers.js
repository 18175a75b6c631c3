// Answers as cards: the answer, why, how likely each class is, and a form to correct it.

import * as api from "./api.js";
import { findElement, makeElement, showProblem } from "./dom.js";
import { showHistory, storeEntry } from "./history.js";
import { formatList, formatNumber, formatPercent, t } from "./i18n.js";

/** @typedef {import("./api.js").Answer} Answer */
/** @typedef {import("./api.js").ClassProbability} ClassProbability */
/** @typedef {import("./api.js").Input} Input */
/** @typedef {import("./api.js").Model} Model */

const MAX_INPUTS_PER_REQUEST = 16;
const MAX_INPUTS = 1000;
const BYTES_AROUND_A_FILE = 1000;
const MAX_LABELS_WITH_PROBABILITY = 5;

/** @param {Answer} answer */
function describeAnswer(answer) {
  if (answer.outcome === null) return t("unusable");
  const levels = (answer.levels ?? []).filter(Boolean);
  if (answer.outcome === "not_sure" && levels.length) return `${levels.join(" > ")} > (${t("not_sure")})`;
  if (answer.outcome !== "answered") return t(answer.outcome);
  return answer.answer || t("no_label");
}

/** @param {{probability: number}} values */
const describeProbability = ({ probability }) => t("sure", { percent: formatPercent(probability) });
const describeTooFewRows = () => t("too_few");
/** @param {ClassProbability[]} classes */
const listNames = (classes) => formatList(classes.map(({ label }) => label));

/** @param {{sure: ClassProbability[], possible: ClassProbability[]}} values */
function describeLabels({ sure, possible }) {
  const parts = [sure.length ? t("labels_sure", { names: listNames(sure) }) : ""];
  parts.push(possible.length ? t("labels_possible", { names: listNames(possible) }) : "");
  return parts.filter(Boolean).join(" ") || t("labels_none");
}

/** @type {import("./api.js").ReasonTexts<[Answer]>} */
const REASONS = {
  none: () => "",
  sure: describeProbability,
  only_likely_class: describeProbability,
  several_likely_classes: ({ classes }) => t("could_be", { names: listNames(classes) }),
  sure_and_possible_labels: describeLabels,
  too_few_rows_for_labels: () => t("labels_too_few"),
  too_few_rows_for_sets: describeTooFewRows,
  no_held_out_rows: describeTooFewRows,
  asking_costs_less: () => t("costly"),
  likelier_class_costs_more: ({ label }) => t("likelier", { name: label }),
  like_reserved_class: ({ label }) => t("reserved", { name: label }),
  out_of_distribution: () => t("unlike"),
  interval_coverage: (_, { low, high }) => t("between", { low: formatNumber(Number(low)), high: formatNumber(Number(high)) }),
  too_few_rows_for_interval: () => t("no_range"),
  below_least_probability: ({ label, probability }) => t("below", { name: label, percent: formatPercent(probability) }),
  too_small: () => t("too_small"),
  too_dark: () => t("too_dark"),
  too_bright: () => t("too_bright"),
  one_colour: () => t("one_colour"),
  too_blurred: () => t("too_blurred"),
  no_words: () => t("no_words"),
  no_values: () => t("no_values"),
  constant: () => t("constant"),
};

/**
 * Return in a word or two what to do with an answer. No sign: a tick beside a disease reads as "all is well".
 * @param {Answer} answer
 */
function describeMark(answer) {
  if (answer.outcome === null) return t("mark_again");
  if (answer.outcome !== "answered") return t("mark_person");
  return answer.probability == null ? "" : t("mark_sure");
}

/** @param {Answer} answer */
function describeReason(answer) {
  if (answer.reason_code === null) return answer.reason ?? "";
  const describe = /** @type {(values: unknown, answer: Answer) => string} */ (REASONS[answer.reason_code]);
  return describe(answer.reason_values, answer);
}

/**
 * Return the most probable classes.
 * @param {Answer} answer
 * @returns {ClassProbability[]}
 */
function listProbabilities(answer) {
  if (answer.top && answer.top.length) return answer.top;
  const labels = Object.entries(answer.probabilities || {}).map(([label, probability]) => ({ label, probability }));
  return labels.sort((a, b) => b.probability - a.probability).slice(0, MAX_LABELS_WITH_PROBABILITY);
}

/** @param {ClassProbability[]} classes */
function makeMeters(classes) {
  const rows = makeElement("dl", "probabilities");
  for (const { label, probability } of classes) {
    const meter = makeElement("meter");
    meter.max = 1;
    meter.value = probability;
    meter.setAttribute("aria-hidden", "true");
    const value = makeElement("dd");
    value.append(meter, makeElement("span", "", formatPercent(probability)));
    rows.append(makeElement("dt", "", label), value);
  }
  return rows;
}

/**
 * @param {Model} model
 * @param {Answer} answer
 * @param {Input} input
 */
function makeCard(model, answer, input) {
  const isUsable = answer.outcome !== null;
  const card = makeElement("article", `card answer ${answer.kind}`);
  if (input.preview) {
    const image = makeElement("img");
    image.src = input.preview;
    image.alt = input.name;
    image.addEventListener("error", () => image.remove());
    card.append(image);
  }
  card.append(makeElement("p", "quiet name", input.name));
  const line = makeElement("p", "outcome");
  line.append(makeElement("bdi", "", describeAnswer(answer)), makeElement("span", "mark", describeMark(answer)));
  card.append(line, makeElement("p", "reason", describeReason(answer)));
  const classes = isUsable ? listProbabilities(answer) : [];
  if (classes.length) {
    const details = makeElement("details");
    details.append(makeElement("summary", "", t("more")), makeMeters(classes));
    card.append(details);
  }
  if (answer.nearest && answer.nearest.length) card.append(makeNeighbours(answer.nearest));
  if (model.feedback && isUsable) card.append(makeCorrectionForm(model, input));
  return card;
}

/**
 * Show the training rows that an input is most like, where the model's owner lets them be shown.
 * @param {import("./api.js").Neighbour[]} rows
 */
function makeNeighbours(rows) {
  const details = makeElement("details");
  details.append(makeElement("summary", "", t("like")));
  for (const row of rows) {
    const figure = makeElement("figure");
    if (row.picture) figure.append(Object.assign(makeElement("img"), { src: row.picture, alt: "" }));
    if (row.text) figure.append(Object.assign(makeElement("p", "quiet", row.text), { dir: "auto" }));
    figure.append(makeElement("figcaption", "", row.label));
    details.append(figure);
  }
  return details;
}

/**
 * @param {Model} model
 * @param {Input} input
 */
function makeCorrectionForm(model, input) {
  const details = makeElement("details");
  const form = makeElement("form", "field");
  const id = `label-${Math.random().toString(36).slice(2)}`;
  const label = makeElement("label", "", t("right_label"));
  label.htmlFor = id;
  const box = makeElement("input");
  Object.assign(box, { id, required: true, maxLength: 200, autocomplete: "off", dir: "auto" });
  box.setAttribute("list", "classes");
  const button = makeElement("button", "", t("correct"));
  const done = makeElement("p", "quiet");
  done.setAttribute("role", "status");
  form.append(label, box, button, done);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      await api.sendCorrection(model, input, box.value.trim());
      done.textContent = t("corrected");
    } catch (error) {
      showProblem(error);
    }
    button.disabled = false;
  });
  details.append(makeElement("summary", "", t("wrong")), form);
  return details;
}

/**
 * Ask for the answers to inputs, request by request, and show them.
 * @param {Model} model
 * @param {Input[]} inputs
 */
export async function showAnswers(model, inputs) {
  if (!inputs.length) {
    findElement("status").textContent = t("nothing");
    return;
  }
  findElement("problem").hidden = true;
  findElement("answer-list").replaceChildren();
  document.body.setAttribute("aria-busy", "true");
  try {
    let done = 0;
    const first = inputs.slice(0, MAX_INPUTS);
    for (const batch of cutIntoRequests(model, first)) {
      findElement("status").textContent = t("waiting", { done, all: first.length });
      await answerBatch(model, batch);
      done += batch.length;
    }
    const isCut = inputs.length > first.length;
    findElement("status").textContent = isCut ? t("only_first", { n: first.length, all: inputs.length }) : "";
  } catch (error) {
    findElement("status").textContent = "";
    showProblem(error);
  }
  document.body.removeAttribute("aria-busy");
  showHistory();
}

/**
 * Cut inputs into requests that a server takes: photos are soon too many megabytes for one.
 * @param {Model} model
 * @param {Input[]} inputs
 */
function cutIntoRequests(model, inputs) {
  const { max_rows: maxRows = MAX_INPUTS_PER_REQUEST, max_mb: maxMegabytes = Infinity } = model.limits || {};
  const maxInputs = Math.min(maxRows, MAX_INPUTS_PER_REQUEST);
  /** @type {Input[][]} */
  const requests = [];
  let bytes = 0;
  for (const input of inputs) {
    const size = input.blob ? input.blob.size + BYTES_AROUND_A_FILE : 0;
    const last = requests.at(-1);
    if (!last || last.length >= maxInputs || bytes + size > maxMegabytes * 1e6) {
      requests.push([input]);
      bytes = size;
    } else {
      last.push(input);
      bytes += size;
    }
  }
  return requests;
}

/**
 * @param {Model} model
 * @param {Input[]} inputs
 */
async function answerBatch(model, inputs) {
  const answers = await api.predictInputs(model, inputs);
  answers.forEach((answer, row) => {
    findElement("answer-list").append(makeCard(model, answer, inputs[row]));
    if (!storeEntry(model, answer, inputs[row])) findElement("status").textContent = t("not_kept");
  });
}
