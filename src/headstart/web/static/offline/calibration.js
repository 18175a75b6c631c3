// Correct probabilities. The twin of headstart/decisions/calibrator.py.

/** @typedef {import("./documents.js").Calibrator} Calibrator */

const SMALLEST = 1e-12;
const CURVE_SLOPE = 1e-4;

/** @param {number[]} probabilities @param {Calibrator} calibrator */
function scaleByTemperature(probabilities, { temperature }) {
  const logits = probabilities.map((probability) => Math.log(Math.max(probability, SMALLEST)) / temperature);
  const largest = Math.max(...logits);
  return logits.map((logit) => Math.exp(logit - largest));
}

/** @param {number[]} probabilities @param {Calibrator} calibrator */
function applyCurve(probabilities, { knots, levels }) {
  const last = knots.length - 1;
  return probabilities.map((probability) => {
    let level = probability <= knots[0] ? levels[0] : levels[last];
    if (probability > knots[0] && probability < knots[last]) {
      const left = knots.findIndex((knot) => knot > probability) - 1;
      const slope = (levels[left + 1] - levels[left]) / (knots[left + 1] - knots[left]);
      level = slope * (probability - knots[left]) + levels[left];
    }
    return level + CURVE_SLOPE * probability;
  });
}

/** @param {number[]} probabilities @param {Calibrator} calibrator */
function shiftLogits(probabilities, { slopes = [], shifts = [] }) {
  return probabilities.map((probability, at) => {
    const inside = Math.min(Math.max(probability, SMALLEST), 1 - SMALLEST);
    return 1 / (1 + Math.exp(-(slopes[at] * Math.log(inside / (1 - inside)) + shifts[at])));
  });
}

/** @type {Record<string, typeof applyCurve | undefined>} */
const METHODS = { temperature: scaleByTemperature, isotonic: applyCurve };

/**
 * Return corrected probabilities; other outputs stay as they are.
 * @param {number[]} outputs
 * @param {Calibrator} calibrator
 */
export function calibrate(outputs, calibrator) {
  if (calibrator.method === "platt") return shiftLogits(outputs, calibrator);
  const method = METHODS[calibrator.method];
  if (!method) return outputs;
  const corrected = method(outputs, calibrator);
  const sum = corrected.reduce((a, b) => a + b, 0);
  return corrected.map((value) => value / sum);
}
