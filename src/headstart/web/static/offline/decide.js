// From what the model says to an answer: a label, "not sure" or "none of these". The twin of headstart/decisions and
// of headstart/flow/inference/answers.py: the same rules, the same words.

const NOT_SURE = "not sure";
const NONE = "none of these";
const RESERVED = ["_other", "noise", "background"];
const NAMED = 3;
const TOP = 3;
const NEIGHBOURS = 3;
const TINY = 1e-9;
const SMALLEST = 1e-12;
const STEEP = 1e-4;

// Numbers as Python writes them

/** As `f"{value:.0f}"`: halves go to the even neighbour. */
export function whole(value) {
  const low = Math.floor(value);
  const apart = value - low;
  return String(apart === 0.5 ? low + (low % 2) : Math.round(value));
}

/** As `f"{value:.{digits}g}"`. */
export function general(value, digits = 6) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  const [mantissa, power] = value.toExponential(digits - 1).split("e");
  const exponent = Number(power);
  const bare = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
  if (exponent >= -4 && exponent < digits) return bare(value.toFixed(digits - 1 - exponent));
  return `${bare(mantissa)}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

function order(values) {
  return Array.from(values, (_, at) => at).sort((a, b) => values[b] - values[a] || a - b);
}

function argmax(values) {
  let best = 0;
  values.forEach((value, at) => {
    if (value > values[best]) best = at;
  });
  return best;
}

// Probabilities

function heated(shares, { temperature }) {
  const told = shares.map((share) => Math.log(Math.max(share, SMALLEST)) / temperature);
  const most = Math.max(...told);
  return told.map((value) => Math.exp(value - most));
}

function onCurve(shares, { knots, levels }) {
  const last = knots.length - 1;
  return shares.map((share) => {
    let level = share <= knots[0] ? levels[0] : levels[last];
    if (share > knots[0] && share < knots[last]) {
      const at = knots.findIndex((knot) => knot > share) - 1;
      const slope = (levels[at + 1] - levels[at]) / (knots[at + 1] - knots[at]);
      level = slope * (share - knots[at]) + levels[at];
    }
    return level + STEEP * share;
  });
}

const WAYS = { temperature: heated, isotonic: onCurve };

/** Correct probabilities (an array). */
export function calibrated(shares, calibrator) {
  const way = WAYS[calibrator.method];
  if (!way) return shares;
  const told = way(shares, calibrator);
  const sum = told.reduce((a, b) => a + b, 0);
  return told.map((value) => value / sum);
}

// How far from what was learnt

function unit(values) {
  let squares = 0;
  for (const value of values) squares += value * value;
  const length = Math.max(Math.sqrt(squares), TINY);
  return Float32Array.from(values, (value) => value / length);
}

/** Where a row lies; `space` has centre, basis and inner as {data, shape}. */
function place(values, { centre, basis, inner }) {
  const n = inner.shape[0];
  const apart = unit(values).map((value, at) => value - centre.data[at]);
  const inside = new Float64Array(n);
  let squares = 0;
  apart.forEach((value, at) => {
    squares += value * value;
    for (let k = 0; k < n; k++) inside[k] += value * basis.data[at * n + k];
  });
  const white = new Float64Array(n);
  inside.forEach((value, at) => {
    for (let k = 0; k < n; k++) white[k] += value * inner.data[at * n + k];
  });
  const sum = (some) => some.reduce((total, value) => total + value * value, 0);
  const length = Math.max(Math.sqrt(sum(white) + Math.max(squares - sum(inside), 0)), TINY);
  return white.map((value) => value / length);
}

function cosines(here, { data, shape }) {
  const found = new Float64Array(shape[0]);
  for (let row = 0; row < shape[0]; row++) {
    for (let k = 0; k < shape[1]; k++) found[row] += here[k] * data[row * shape[1] + k];
  }
  return found;
}

/** Distance from what was learnt (0 to 2), and the nearest remembered rows. */
export function distance(values, arrays) {
  const here = place(values, arrays);
  const near = cosines(here, arrays.kept);
  const nearest = order(near).slice(0, NEIGHBOURS);
  const mean = nearest.reduce((sum, at) => sum + near[at], 0) / nearest.length;
  const far = 1 - (mean + Math.max(...cosines(here, arrays.means))) / 2;
  return { far, nearest: nearest.map((at) => ({ at, distance: Math.max(0, 1 - near[at]) })) };
}

// Answers

function codeOf(model, shares) {
  if (model.task !== "ordinal") return argmax(shares);
  let sum = 0;
  let below = 0;
  for (const share of shares) {
    sum += share;
    if (sum < 0.5 - 1e-9) below += 1;
  }
  return Math.min(below, shares.length - 1);
}

function told(model, shares, code) {
  return `${model.classes[code]} (${whole(100 * shares[code])} %)`;
}

/** @returns {[number, string]} */
function byCost(model, shares, { matrix, refer }) {
  const expected = model.classes.map((_, answer) => shares.reduce((sum, share, true_) => sum + share * matrix[true_][answer], 0));
  const cheapest = argmax(expected.map((cost) => -cost));
  const top = argmax(shares);
  if (expected[cheapest] > refer) {
    const reason = `asking costs ${general(refer)}; the cheapest answer, ${model.classes[cheapest]}, is expected to cost ` +
      general(expected[cheapest], 2);
    return [-1, reason];
  }
  if (cheapest === top) return [cheapest, ""];
  const cost = general(expected[top], 2);
  return [cheapest, `${told(model, shares, top)} is more probable, but a mistake would be expected to cost ${cost}`];
}

function why(model, shares, code, held) {
  const { sets, costs } = model.decision;
  if (code >= 0) return `${whole(100 * shares[code])} % sure${sets && !costs ? "; no other class is likely enough" : ""}`;
  if (sets && !sets.floors.some((floor) => floor > 0)) {
    return sets.n_rows > 0
      ? `${sets.n_rows} training rows are too few to rule any class out`
      : "no training row could be held out, so no class can be ruled out";
  }
  const more = held.length > NAMED ? ` and ${held.length - NAMED} more` : "";
  return `may be ${held.slice(0, NAMED).map((at) => told(model, shares, at)).join(", ")}${more}`;
}

function ofClasses(model, shares) {
  const { sets, costs } = model.decision;
  const best = codeOf(model, shares);
  const top = argmax(shares);
  const held = order(shares).filter((at) => at === best || (sets && (at === top || shares[at] >= sets.floors[at])));
  const { reserved } = model.decision;
  const refused = (at) =>
    Array.isArray(reserved) ? reserved.includes(model.classes[at]) : RESERVED.includes(model.classes[at].trim().toLowerCase());
  /** @type {[number, string]} */
  let [code, reason] = costs ? byCost(model, shares, costs) : [held.length === 1 || held.every(refused) ? best : -1, ""];
  reason = reason || why(model, shares, code, held);
  let [answer, kind] = code < 0 ? [NOT_SURE, "not_sure"] : [model.classes[code], "label"];
  if (code >= 0 && refused(code)) {
    reason = `most like the training rows of ${told(model, shares, code)}`;
    [answer, kind] = [NONE, "none_of_these"];
  }
  const ranked = [best, ...order(shares).filter((at) => at !== best)].slice(0, TOP);
  const named = ranked.map((at) => ({ label: model.classes[at], probability: shares[at] }));
  return { ...named[0], top: named, answer, set: held.map((at) => model.classes[at]), reason, kind };
}

function ofLabels(model, shares) {
  const limits = model.thresholds.length ? model.thresholds : [0.5];
  const labels = model.classes.filter((_, at) => shares[at] >= limits[limits.length > 1 ? at : 0]);
  const probabilities = Object.fromEntries(model.classes.map((name, at) => [name, shares[at]]));
  return { labels, probabilities, answer: labels.join(";"), set: [], reason: "", kind: "label" };
}

function ofNumber(model, [value]) {
  const { margin, coverage, too_few: few } = model.decision;
  const known = typeof margin === "number";
  const [low, high] = known ? [value - margin, value + margin] : [null, null];
  const stated = `${whole(100 * coverage)} % of such ranges are stated to hold the truth`;
  const reason = known ? stated : few ? "too few training rows to give a range" : "";
  return { value, answer: general(value, 7), set: known ? [low, high] : [], reason, low, high, kind: "label" };
}

const TASKS = { classification: ofClasses, ordinal: ofClasses, "multi-label": ofLabels, regression: ofNumber };

/**
 * Decide on one row, with the fields of `headstart predict --json`.
 *
 * `outputs` is what the model says, `values` what novelty reads (or nothing); `model` has task, classes, thresholds,
 * decision, and arrays for novelty.
 */
export function decide(model, outputs, values) {
  const { calibrator, novelty } = model.decision;
  const said = calibrated(Array.from(outputs), calibrator);
  const document = TASKS[model.task](model, said);
  if (!novelty || !values) return document;
  const { far, nearest } = distance(values, model.arrays);
  const near = model.neighbours ? { nearest: nearest.map(({ at, distance: apart }) => ({ ...model.neighbours[at], distance: apart })) } : {};
  if (!(far > novelty.threshold)) return { ...document, ...near };
  const share = `${whole(100 * (1 - novelty.false_alarm))} %`;
  const reason = `unlike the training rows: farther from them than ${share} of them are from each other`;
  return { ...document, answer: NONE, reason, kind: "none_of_these", ...near };
}

const EMPTY = {
  classification: { label: null, probability: null, top: [] },
  ordinal: { label: null, probability: null, top: [] },
  "multi-label": { labels: null, probabilities: {} },
  regression: { value: null, low: null, high: null },
};

/** The document of an input that could not be used. */
export function unusable(task, reason) {
  return { ...EMPTY[task], answer: null, set: [], reason, kind: "unusable" };
}
