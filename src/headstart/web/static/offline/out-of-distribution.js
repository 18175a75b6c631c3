// How far an input is from the training rows. The twin of headstart/decisions/out_of_distribution.py.

/** @typedef {import("./documents.js").FloatArray} FloatArray */
/** @typedef {import("./documents.js").DetectorArrays} DetectorArrays */

const N_NEAREST = 3;
const SMALLEST_LENGTH = 1e-9;

/** @param {Float64Array} values */
function sumSquares(values) {
  return values.reduce((sum, value) => sum + value * value, 0);
}

/**
 * Return a vector of length 1, in float32 as the exporter has it.
 * @param {ArrayLike<number>} values
 */
function normalise(values) {
  const length = Math.max(Math.sqrt(sumSquares(Float64Array.from(values))), SMALLEST_LENGTH);
  return Float32Array.from(values, (value) => value / length);
}

/**
 * Return the whitened direction of features, in the basis of the training rows.
 * @param {ArrayLike<number>} features
 * @param {DetectorArrays} arrays
 */
function projectFeatures(features, { centre, basis, inner }) {
  const n = inner.shape[0];
  const centred = normalise(features).map((value, dim) => value - centre.data[dim]);
  const inside = new Float64Array(n);
  let squares = 0;
  centred.forEach((value, dim) => {
    squares += value * value;
    for (let k = 0; k < n; k++) inside[k] += value * basis.data[dim * n + k];
  });
  const whitened = new Float64Array(n);
  inside.forEach((value, dim) => {
    for (let k = 0; k < n; k++) whitened[k] += value * inner.data[dim * n + k];
  });
  const rest = Math.max(squares - sumSquares(inside), 0);
  const length = Math.max(Math.sqrt(sumSquares(whitened) + rest), SMALLEST_LENGTH);
  return whitened.map((value) => value / length);
}

/**
 * Return the cosine of a direction and each row of an array.
 * @param {Float64Array} direction
 * @param {FloatArray} rows
 */
function computeCosines(direction, { data, shape: [nRows, nDims] }) {
  const cosines = new Float64Array(nRows);
  for (let row = 0; row < nRows; row++) {
    for (let k = 0; k < nDims; k++) cosines[row] += direction[k] * data[row * nDims + k];
  }
  return cosines;
}

/**
 * Return the distance from the training rows (0 to 2), and the nearest remembered rows.
 * @param {ArrayLike<number>} features
 * @param {DetectorArrays} arrays
 */
export function measureDistance(features, arrays) {
  const direction = projectFeatures(features, arrays);
  const cosines = computeCosines(direction, arrays.kept);
  const nearest = Array.from(cosines.keys()).sort((a, b) => cosines[b] - cosines[a] || a - b).slice(0, N_NEAREST);
  const mean = nearest.reduce((sum, row) => sum + cosines[row], 0) / nearest.length;
  const distance = 1 - (mean + Math.max(...computeCosines(direction, arrays.means))) / 2;
  return { distance, nearest: nearest.map((row) => ({ row, distance: Math.max(0, 1 - cosines[row]) })) };
}
