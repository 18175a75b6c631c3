// Series as the model reads them: padding cut, gaps filled, one length. The twin of headstart/modalities/series.py.

/** @typedef {import("./documents.js").InputArray} InputArray */

/**
 * Return `numpy.interp`: the value at `x` of the line through (positions, values); beyond the ends the nearest value.
 * @param {number} x
 * @param {ArrayLike<number>} positions Rising.
 * @param {ArrayLike<number>} values
 */
function interpolate(x, positions, values) {
  const last = positions.length - 1;
  if (x <= positions[0]) return values[0];
  if (x >= positions[last]) return values[last];
  let low = 0;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (positions[middle] <= x) low = middle;
    else high = middle;
  }
  const slope = (values[low + 1] - values[low]) / (positions[low + 1] - positions[low]);
  return slope * (x - positions[low]) + values[low];
}

/**
 * Return channels of float32; null, text and what is no finite number is missing (NaN).
 * @param {(number | null)[][]} series
 */
function readChannels(series) {
  return series.map((channel) => Float32Array.from(channel, (value) => (Number.isFinite(value) ? Number(value) : NaN)));
}

/**
 * Return the number of steps up to the last one with a value.
 * @param {Float32Array[]} channels
 */
function findEnd(channels) {
  for (let step = channels[0].length; step > 0; step--) {
    if (channels.some((channel) => Number.isFinite(channel[step - 1]))) return step;
  }
  return 0;
}

/** @param {Float32Array} channel */
function fillGaps(channel) {
  /** @type {number[]} */
  const steps = [];
  channel.forEach((value, step) => Number.isFinite(value) && steps.push(step));
  if (steps.length === channel.length) return channel;
  if (steps.length === 0) return new Float32Array(channel.length);
  const known = steps.map((step) => channel[step]);
  return channel.map((_, step) => interpolate(step, steps, known));
}

/** @param {Float32Array} channel @param {number} length */
function resample(channel, length) {
  if (channel.length === length) return channel;
  const steps = Array.from(channel.keys());
  const width = length > 1 ? (channel.length - 1) / (length - 1) : 0;
  return Float32Array.from({ length }, (_, step) => interpolate(step * width, steps, channel));
}

/** @param {Float32Array[]} channels All of one length. */
function joinChannels(channels) {
  const joined = new Float32Array(channels.length * channels[0].length);
  channels.forEach((channel, number) => joined.set(channel, number * channel.length));
  return joined;
}

/**
 * Return a series as one array (channels, length); with `gaps` in the spec also where there were values, and how many steps.
 * @param {(number | null)[][]} series
 * @param {import("./documents.js").SeriesSpec} spec
 * @returns {InputArray[]}
 */
export function prepareSeries(series, spec) {
  const channels = readChannels(series);
  if (channels.length !== spec.n_channels) {
    throw new Error(`A series has ${channels.length} channels; the model was made for ${spec.n_channels}`);
  }
  if (new Set(channels.map((channel) => channel.length)).size > 1) throw new Error("its channels differ in length");
  if (channels[0].length === 0) throw new Error("it is no list of numbers");
  const end = Math.max(1, findEnd(channels));
  const cut = channels.map((channel) => channel.slice(0, end));
  const values = joinChannels(cut.map((channel) => resample(fillGaps(channel), spec.length)));
  const shape = [channels.length, spec.length];
  if (!spec.gaps) return [{ data: values, shape }];
  const known = cut.map((channel) => channel.map((value) => (Number.isFinite(value) ? 1 : 0)));
  return [
    { data: values, shape },
    { data: joinChannels(known.map((channel) => resample(channel, spec.length))), shape },
    { data: Float32Array.of(end), shape: [1] },
  ];
}
