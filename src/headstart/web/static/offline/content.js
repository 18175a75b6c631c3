// Whether an input holds anything to answer about. The twin of headstart/modalities/content.py.

/** @typedef {import("./images.js").RgbImage} RgbImage */
/** @typedef {Record<string, number>} Measures By code of fault: the less, the more of that fault. */

export const SIDE = 96;
export const EMPTY_TEXT = "the text is empty";
const SAYS_NOTHING = /^[\p{P}\p{Z}\p{Cc}\p{Cf}\p{M}\p{Sm}\p{Sc}\p{Sk}]*$/u;

/** @param {Float64Array} values Sorted. @param {number} outer Values that are left out at each end. */
const measureRange = (values, outer) => values[values.length - 1 - outer] - values[outer];

/**
 * Return the brightness of each pixel.
 * @param {Uint8Array} data
 */
function computeGrey(data) {
  return Float64Array.from({ length: data.length / 3 }, (_, at) =>
    data[3 * at] * 0.299 + data[3 * at + 1] * 0.587 + data[3 * at + 2] * 0.114);
}

/** @param {Float64Array} grey @param {number} width @param {number} height */
function listSteps(grey, width, height) {
  const steps = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      if (x + 1 < width) steps.push(Math.abs(grey[at + 1] - grey[at]));
      if (y + 1 < height) steps.push(Math.abs(grey[at + width] - grey[at]));
    }
  }
  return Float64Array.from(steps).sort();
}

/**
 * Measure an image that was made small (96 x 96); `shortest` is its shorter side before.
 * @param {RgbImage} image
 * @param {number} shortest
 * @returns {Measures}
 */
export function measureImage({ data, width, height }, shortest) {
  const grey = computeGrey(data);
  const levels = grey.slice().sort();
  const outer = Math.floor(levels.length / 1000);
  const channels = [0, 1, 2].map((channel) => Float64Array.from(levels, (_, at) => data[3 * at + channel]).sort());
  const steps = listSteps(grey, width, height);
  const sharpness = steps[steps.length - 1 - Math.floor(steps.length / 1000)] / Math.max(measureRange(levels, outer), 1);
  return {
    too_small: shortest,
    too_dark: levels[levels.length - 1 - outer],
    too_bright: 255 - levels[outer],
    one_colour: Math.max(...channels.map((values) => measureRange(values, outer))),
    ...(shortest >= SIDE ? { too_blurred: sharpness } : {}),
  };
}

/** @param {string} text @returns {Measures} */
export function measureText(text) {
  return { no_words: SAYS_NOTHING.test(text) ? 0 : 1 };
}

/** @param {(number | null)[][]} series @returns {Measures} */
export function measureSeries(series) {
  const known = series.map((channel) => channel.filter(Number.isFinite).map((value) => Math.fround(Number(value))))
    .map((channel) => channel.filter(Number.isFinite));
  const isChanging = known.some((channel) => channel.some((value) => value !== channel[0]));
  return { no_values: known.reduce((sum, channel) => sum + channel.length, 0), constant: isChanging ? 1 : 0 };
}

/**
 * Return the code of the first fault that an input has, or null.
 * @param {Measures} measures
 * @param {Measures} limits Codes without a limit are no faults.
 */
export function findFault(measures, limits) {
  const fault = Object.keys(measures).find((code) => code in limits && measures[code] < limits[code]);
  return /** @type {import("./api.js").ContentFault | null} */ (fault ?? null);
}
