// Answers as cards: the answer, why, how likely each class is, and a form to correct it.

import * as api from "./api.js";
import { at, make, showProblem } from "./dom.js";
import { remember, showHistory } from "./history.js";
import { formatList, formatNumber, formatPercent, t } from "./i18n.js";

/** @typedef {import("./api.js").Answer} Answer */
/** @typedef {import("./api.js").Input} Input */
/** @typedef {import("./api.js").Model} Model */

const MAX_INPUTS_PER_REQUEST = 16;
const BYTES_AROUND_A_FILE = 1000;
const MARKS = { label: "✓", not_sure: "?", none_of_these: "✕", unusable: "!" };

/** @param {Answer} answer */
function wordOf(answer) {
  if (answer.kind !== "label") return t(answer.kind);
  return answer.answer === "" ? t("no_label") : answer.answer ?? "";
}

/** @param {Answer} answer */
function reasonOf(answer) {
  if (answer.kind === "unusable") return answer.reason ?? "";
  if (answer.kind === "none_of_these") return t("unlike");
  if (answer.kind === "not_sure") {
    return answer.set.length > 1 ? t("could_be", { names: formatList(answer.set.map(String)) }) : t("unsure");
  }
  if (typeof answer.low === "number" && typeof answer.high === "number") {
    return t("between", { low: formatNumber(answer.low), high: formatNumber(answer.high) });
  }
  return typeof answer.probability === "number" ? t("sure", { share: formatPercent(answer.probability) }) : "";
}

/**
 * Return the most probable classes with their probabilities.
 * @param {Answer} answer
 * @returns {[string, number][]}
 */
function probabilitiesOf(answer) {
  if (answer.top && answer.top.length) return answer.top.map((one) => [one.label, one.probability]);
  const labels = Object.entries(answer.probabilities || {});
  return labels.sort((a, b) => b[1] - a[1]).slice(0, 5);
}

/** @param {Answer} answer */
function makeMeters(answer) {
  const rows = make("dl", "shares");
  for (const [name, probability] of probabilitiesOf(answer)) {
    const meter = make("meter");
    meter.max = 1;
    meter.value = probability;
    meter.setAttribute("aria-hidden", "true");
    const value = make("dd");
    value.append(meter, make("span", "", formatPercent(probability)));
    rows.append(make("dt", "", name), value);
  }
  return rows;
}

/**
 * @param {Model} model
 * @param {Answer} answer
 * @param {Input} input
 */
function makeCard(model, answer, input) {
  const { kind } = answer;
  const card = make("article", `card answer ${kind}`);
  if (input.preview) {
    const image = make("img");
    image.src = input.preview;
    image.alt = input.name;
    image.addEventListener("error", () => image.remove());
    card.append(image);
  }
  card.append(make("p", "quiet name", input.name));
  const line = make("p", "said");
  const mark = make("span", "mark", MARKS[kind]);
  mark.setAttribute("aria-hidden", "true");
  line.append(mark, make("bdi", "", wordOf(answer)));
  card.append(line, make("p", "why", reasonOf(answer)));
  if (kind !== "unusable" && probabilitiesOf(answer).length) {
    const more = make("details");
    more.append(make("summary", "", t("more")), makeMeters(answer));
    card.append(more);
  }
  if (answer.nearest && answer.nearest.length) card.append(makeNeighbours(answer.nearest));
  if (model.feedback && kind !== "unusable") card.append(makeCorrectionForm(model, input));
  return card;
}

/**
 * Show the training rows that an input is most like, where the model's owner lets them be shown.
 * @param {import("./api.js").Neighbour[]} rows
 */
function makeNeighbours(rows) {
  const details = make("details");
  details.append(make("summary", "", t("like")));
  for (const row of rows) {
    const figure = make("figure");
    if (row.picture) figure.append(Object.assign(make("img"), { src: row.picture, alt: "" }));
    if (row.text) figure.append(Object.assign(make("p", "quiet", row.text), { dir: "auto" }));
    figure.append(make("figcaption", "", row.label));
    details.append(figure);
  }
  return details;
}

/**
 * @param {Model} model
 * @param {Input} input
 */
function makeCorrectionForm(model, input) {
  const details = make("details");
  const form = make("form", "field");
  const id = `label-${Math.random().toString(36).slice(2)}`;
  const label = make("label", "", t("right_label"));
  label.htmlFor = id;
  const box = make("input");
  Object.assign(box, { id, required: true, maxLength: 200, autocomplete: "off", dir: "auto" });
  box.setAttribute("list", "classes");
  const button = make("button", "", t("correct"));
  const done = make("p", "quiet");
  done.setAttribute("role", "status");
  form.append(label, box, button, done);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      await api.correct(model, input, box.value.trim());
      done.textContent = t("corrected");
    } catch (error) {
      showProblem(error);
    }
    button.disabled = false;
  });
  details.append(make("summary", "", t("wrong")), form);
  return details;
}

/**
 * Ask for the answers to inputs, request by request, and show them.
 * @param {Model} model
 * @param {Input[]} inputs
 */
export async function ask(model, inputs) {
  if (!inputs.length) {
    at("status").textContent = t("nothing");
    return;
  }
  at("problem").hidden = true;
  at("answer-list").replaceChildren();
  document.body.setAttribute("aria-busy", "true");
  try {
    let done = 0;
    for (const batch of cutIntoRequests(model, inputs)) {
      at("status").textContent = t("waiting", { done, all: inputs.length });
      await answerBatch(model, batch);
      done += batch.length;
    }
    at("status").textContent = "";
  } catch (error) {
    at("status").textContent = "";
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
  const answers = await api.predict(model, inputs);
  answers.forEach((answer, row) => {
    at("answer-list").append(makeCard(model, answer, inputs[row]));
    if (!remember(model, answer, inputs[row])) at("status").textContent = t("not_kept");
  });
}
