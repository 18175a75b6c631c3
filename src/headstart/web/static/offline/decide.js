// From the outputs of the model to an answer: a class, "not sure" or "none of these". The twin of headstart/decisions
// and of headstart/flow/inference/answers.py: the same rules, the same fields.

import { calibrate } from "./calibration.js";
import { measureDistance } from "./out-of-distribution.js";
import { describeReason, formatSignificant } from "./reasons.js";

/** @typedef {import("./api.js").Answer} Answer */
/** @typedef {import("./api.js").Reason} Reason */
/** @typedef {import("./documents.js").ModelDocument} ModelDocument */
/** @typedef {{index: number, reason: Reason | null}} Choice Index -1: no class is chosen. */
/** @typedef {"answered" | "not_sure" | "none_of_these"} Outcome */

const ABSTENTIONS = { not_sure: "not sure", none_of_these: "none of these" };
const RESERVED_NAMES = ["_other", "noise", "background"];
const N_RANKED = 3;
const LEVEL_MARK = " > ";
const WHICH = "(not sure which)";

/** @param {number[]} values */
function findLargest(values) {
  return values.indexOf(Math.max(...values));
}

/**
 * Return the indices of values, the largest first.
 * @param {number[]} values
 */
function rankIndices(values) {
  return Array.from(values.keys()).sort((a, b) => values[b] - values[a] || a - b);
}

/**
 * Return the most probable class, or the middle grade of an ordinal task.
 * @param {ModelDocument} model
 * @param {number[]} probabilities
 */
function predictClass(model, probabilities) {
  if (model.task !== "ordinal") return findLargest(probabilities);
  let sum = 0;
  let middle = 0;
  for (const probability of probabilities) {
    sum += probability;
    if (sum < 0.5 - 1e-9) middle += 1;
  }
  return Math.min(middle, probabilities.length - 1);
}

/**
 * @param {ModelDocument} model
 * @param {number[]} probabilities
 * @param {number} index
 */
function nameClass(model, probabilities, index) {
  return { label: model.classes[index], probability: probabilities[index] };
}

/**
 * Return whether a class stands for what is none of the others.
 * @param {ModelDocument} model
 * @param {number} index
 */
function isReserved(model, index) {
  const { reserved } = model.decision;
  const name = model.classes[index];
  return Array.isArray(reserved) ? reserved.includes(name) : RESERVED_NAMES.includes(name.trim().toLowerCase());
}

/**
 * Choose the class of the lowest expected cost, or none where asking costs less.
 * @param {ModelDocument} model
 * @param {number[]} probabilities
 * @param {import("./documents.js").Costs} costs
 * @returns {Choice}
 */
function chooseCheapest(model, probabilities, { matrix, refer }) {
  const expected = model.classes.map((_, answer) =>
    probabilities.reduce((sum, probability, truth) => sum + probability * matrix[truth][answer], 0));
  const cheapest = findLargest(expected.map((cost) => -cost));
  if (expected[cheapest] > refer) {
    const values = { asking_cost: refer, label: model.classes[cheapest], expected_cost: expected[cheapest] };
    return { index: -1, reason: { code: "asking_costs_less", values } };
  }
  const likeliest = findLargest(probabilities);
  if (cheapest === likeliest) return { index: cheapest, reason: null };
  const values = { ...nameClass(model, probabilities, likeliest), expected_cost: expected[likeliest] };
  return { index: cheapest, reason: { code: "likelier_class_costs_more", values } };
}

/**
 * Return a class that is probable enough to be an answer, or stands for everything else; none, and why, otherwise.
 * @param {ModelDocument} model
 * @param {number[]} probabilities
 * @param {number} index
 * @returns {Choice}
 */
function dropImprobable(model, probabilities, index) {
  const least = model.decision.answer_below ?? 0;
  if (index < 0 || isReserved(model, index) || probabilities[index] >= least) return { index, reason: null };
  const values = { ...nameClass(model, probabilities, index), least };
  return { index: -1, reason: { code: "below_least_probability", values } };
}

/**
 * Return why a class was chosen, or why none was, where costs do not say it.
 * @param {ModelDocument} model
 * @param {number[]} probabilities
 * @param {number} index
 * @param {number[]} likely Indices of the likely classes, the most probable first.
 * @returns {Reason}
 */
function explainChoice(model, probabilities, index, likely) {
  const { sets, costs } = model.decision;
  if (index >= 0) {
    const values = { probability: probabilities[index] };
    return { code: sets && !costs ? "only_likely_class" : "sure", values };
  }
  if (sets && !sets.floors.some((floor) => floor > 0)) {
    if (sets.n_rows === 0) return { code: "no_held_out_rows", values: {} };
    return { code: "too_few_rows_for_sets", values: { n_rows: sets.n_rows } };
  }
  const classes = likely.map((at) => nameClass(model, probabilities, at));
  return { code: "several_likely_classes", values: { classes } };
}

/**
 * Return the fields that every answer has.
 * @param {string} answer The words of an answer that is no abstention.
 * @param {Outcome} outcome
 * @param {Reason} reason
 */
function makeOutcome(answer, outcome, reason) {
  return {
    answer: outcome === "answered" ? answer : ABSTENTIONS[outcome],
    kind: outcome === "answered" ? /** @type {const} */ ("label") : outcome,
    outcome, reason: describeReason(reason), reason_code: reason.code, reason_values: reason.values,
  };
}

/**
 * Return the deepest level of the coding frame that is sure, as an answer; null where none is.
 * @param {ModelDocument} model
 * @param {number[]} probabilities
 */
function rollUp(model, probabilities) {
  const sets = model.decision.frame?.sets ?? [];
  for (let depth = sets.length; depth > 0; depth -= 1) {
    /** @type {Map<string, number>} */
    const sums = new Map();
    model.classes.forEach((name, at) => {
      const node = name.split(LEVEL_MARK).slice(0, depth).join(LEVEL_MARK);
      sums.set(node, (sums.get(node) ?? 0) + probabilities[at]);
    });
    const nodes = Array.from(sums.keys());
    const values = Array.from(sums.values());
    const best = findLargest(values);
    const isAlone = values.every((value, at) => at === best || value < sets[depth - 1].floors[at]);
    const isInner = nodes[best].split(LEVEL_MARK).length === depth
      && model.classes.some((name) => name.startsWith(nodes[best] + LEVEL_MARK));
    if (isAlone && isInner && values[best] >= (model.decision.answer_below ?? 0)) return nodes[best] + LEVEL_MARK + WHICH;
  }
  return null;
}

/**
 * Return what is answered at each level of the coding frame, for a model that has one.
 * @param {ModelDocument} model
 * @param {Answer} answer
 */
function listLevels(model, answer) {
  const depth = model.decision.frame?.levels.length ?? 0;
  if (!depth) return {};
  const levels = Array(depth).fill("");
  const text = answer.answer ?? "";
  if (answer.outcome !== "answered" && !text.endsWith(LEVEL_MARK + WHICH)) return { levels };
  if (answer.labels) {
    const paths = answer.labels.map((name) => name.split(LEVEL_MARK));
    return { levels: levels.map((_, at) => Array.from(new Set(paths.filter((path) => path.length > at)
      .map((path) => path.slice(0, at + 1).join(LEVEL_MARK)))).join(";")) };
  }
  text.split(LEVEL_MARK).filter((part) => part !== WHICH).forEach((part, at) => { levels[at] = part; });
  return { levels };
}

/** @param {ModelDocument} model @param {number[]} probabilities @returns {Answer} */
function decideClass(model, probabilities) {
  const { sets, costs } = model.decision;
  const predicted = predictClass(model, probabilities);
  const likeliest = findLargest(probabilities);
  const ranked = rankIndices(probabilities);
  const likely = ranked.filter((at) =>
    at === predicted || (sets && (at === likeliest || probabilities[at] >= sets.floors[at])));
  const isClear = likely.length === 1 || likely.every((at) => isReserved(model, at));
  const choice = costs ? chooseCheapest(model, probabilities, costs)
    : dropImprobable(model, probabilities, isClear ? predicted : -1);
  const { index } = choice;
  let reason = choice.reason || explainChoice(model, probabilities, index, likely);
  /** @type {Outcome} */
  let outcome = index < 0 ? "not_sure" : "answered";
  if (index >= 0 && isReserved(model, index)) {
    reason = { code: "like_reserved_class", values: nameClass(model, probabilities, index) };
    outcome = "none_of_these";
  }
  const top = [predicted, ...ranked.filter((at) => at !== predicted)].slice(0, N_RANKED)
    .map((at) => nameClass(model, probabilities, at));
  const set = likely.map((at) => model.classes[at]);
  const answer = { ...top[0], top, set, ...makeOutcome(model.classes[index], outcome, reason) };
  return outcome === "not_sure" ? { ...answer, answer: rollUp(model, probabilities) ?? answer.answer } : answer;
}

/**
 * Return whether a probability is not below its threshold; null is never reached.
 * @param {number} probability
 * @param {number | null} threshold
 */
function reaches(probability, threshold) {
  return threshold !== null && probability >= threshold;
}

/** @param {ModelDocument} model @param {number[]} outputs @returns {Answer} */
function decideLabels(model, outputs) {
  const { calibrator, labels: rule } = model.decision;
  const limits = calibrate(model.thresholds.length ? model.thresholds : model.classes.map(() => 0.5), calibrator);
  const isGiven = outputs.map((output, at) => output >= limits[at]);
  const labels = model.classes.filter((_, at) => isGiven[at]);
  const probabilities = Object.fromEntries(model.classes.map((name, at) => [name, outputs[at]]));
  const answer = labels.join(";");
  if (!rule) {
    return { labels, sure: [], probabilities, set: [], ...makeOutcome(answer, "answered", { code: "none", values: {} }) };
  }
  const possible = rankIndices(outputs).filter((at) => isGiven[at] || reaches(outputs[at], rule.possible_from[at]));
  const sure = possible.filter((at) => isGiven[at] && reaches(outputs[at], rule.sure_from[at]));
  const name = (/** @type {number} */ at) => nameClass(model, outputs, at);
  const others = possible.filter((at) => !sure.includes(at));
  /** @type {Reason} */
  const reason = rule.possible_from.some((floor) => floor !== null)
    ? { code: "sure_and_possible_labels", values: { sure: sure.map(name), possible: others.map(name) } }
    : { code: "too_few_rows_for_labels", values: { n_rows: rule.n_rows } };
  const [sureNames, set] = [sure, possible].map((places) => places.map((at) => model.classes[at]));
  const outcome = possible.length && !labels.length ? "not_sure" : "answered";
  return { labels, sure: sureNames, probabilities, set, ...makeOutcome(answer, outcome, reason) };
}

/** @param {ModelDocument} model @param {number[]} outputs @returns {Answer} */
function decideNumber(model, [value]) {
  const { margin, coverage, too_few: isTooFew } = model.decision;
  /** @type {Reason} */
  let reason = isTooFew ? { code: "too_few_rows_for_interval", values: {} } : { code: "none", values: {} };
  let [low, high] = /** @type {(number | null)[]} */ ([null, null]);
  const set = [];
  if (typeof margin === "number") {
    reason = { code: "interval_coverage", values: { coverage } };
    [low, high] = [value - margin, value + margin];
    set.push(low, high);
  }
  return { value, low, high, set, ...makeOutcome(formatSignificant(value, 7), "answered", reason) };
}

/** @type {Record<string, (model: ModelDocument, outputs: number[]) => Answer>} */
const TASKS = { classification: decideClass, ordinal: decideClass, "multi-label": decideLabels, regression: decideNumber };

/**
 * Decide on one row, with the fields of `headstart predict --json`.
 * @param {ModelDocument} model
 * @param {ArrayLike<number>} outputs
 * @param {ArrayLike<number> | null} [features] What the out-of-distribution detector reads.
 * @returns {Answer}
 */
export function decide(model, outputs, features) {
  const { calibrator, novelty } = model.decision;
  const answer = TASKS[model.task](model, calibrate(Array.from(outputs), calibrator));
  Object.assign(answer, listLevels(model, answer));
  if (!novelty || !features || !model.arrays) return answer;
  const { distance, nearest } = measureDistance(features, model.arrays);
  const { neighbours } = model;
  if (neighbours) answer.nearest = nearest.map((near) => ({ ...neighbours[near.row], distance: near.distance }));
  if (!(distance > novelty.threshold)) return answer;
  const values = { share: 1 - novelty.false_alarm };
  const refused = { ...answer, ...makeOutcome("", "none_of_these", { code: "out_of_distribution", values }) };
  return { ...refused, ...listLevels(model, refused) };
}

const NO_CLASS = { label: null, probability: null, top: [] };
/** @type {Record<string, Partial<Answer>>} */
const NO_PREDICTION = {
  classification: NO_CLASS,
  ordinal: NO_CLASS,
  "multi-label": { labels: null, sure: [], probabilities: {} },
  regression: { value: null, low: null, high: null },
};

/**
 * Return the document of an input that cannot be used.
 * @param {string} task
 * @param {string} reason
 * @param {import("./api.js").ContentFault | null} [code] Of an input that holds nothing to answer about.
 * @returns {Answer}
 */
export function makeUnusable(task, reason, code = null) {
  const none = { answer: null, outcome: null, reason_code: code, reason_values: {} };
  return { ...NO_PREDICTION[task], set: [], reason, kind: "unusable", ...none };
}
