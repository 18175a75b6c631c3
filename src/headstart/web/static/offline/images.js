// Images as the model reads them. Sizes, filters and rounding are those of Pillow, so that a pixel here is a pixel there:
// the twin of headstart/modalities/image.py.

/** @typedef {import("./documents.js").ImageSpec} ImageSpec */
/** @typedef {{width: number, height: number, data: Uint8Array}} RgbImage Red, green and blue of each pixel. */
/** @typedef {[number, number, number, number]} Box Left, top, right and bottom, in pixels. */
/** @typedef {{weigh: (x: number) => number, support: number}} Filter */
/** @typedef {{first: number, weights: number[]}} Taps The pixels of a line that make a new one: the first, and weights. */
/** @typedef {{pixel: number, line: number}} Strides Steps in the data between pixels of a line, and between lines. */
/** @typedef {{isJpeg: boolean, isPlain: boolean, isDeep: boolean}} ImageFormat */

const WEIGHT_BITS = 22; // Weights are whole numbers of 2^-22, as in Pillow's resampling of 8-bit pixels.
const REDUCING_GAP = 2;
const MAX_PIXELS = 178956970;
const LARGE_PIXELS = 16000000; // Larger ones are made smaller whatever they are, to spare memory.

/** @param {number} x */
function weighBilinear(x) {
  const distance = Math.abs(x);
  return distance < 1 ? 1 - distance : 0;
}

/** @param {number} x */
function weighBicubic(x) {
  const distance = Math.abs(x);
  if (distance < 1) return (1.5 * distance - 2.5) * distance * distance + 1;
  return distance < 2 ? (((distance - 5) * distance + 8) * distance - 4) * -0.5 : 0;
}

/** @type {Record<string, Filter>} */
const FILTERS = {
  bilinear: { weigh: weighBilinear, support: 1 },
  bicubic: { weigh: weighBicubic, support: 2 },
};

/**
 * Return the taps of each new pixel of a line.
 * @param {number} size Pixels of the line.
 * @param {[number, number]} ends The part of it that is resampled.
 * @param {number} newSize
 * @param {Filter} filter
 * @returns {Taps[]}
 */
function computeTaps(size, [start, stop], newSize, filter) {
  const from = Math.fround(start);
  const scale = Math.fround(Math.fround(stop) - from) / newSize;
  const stretch = Math.max(1, scale);
  const support = filter.support * stretch;
  return Array.from({ length: newSize }, (_, pixel) => {
    const centre = from + (pixel + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const last = Math.min(size, Math.trunc(centre + support + 0.5));
    const weights = [];
    for (let x = first; x < last; x++) weights.push(filter.weigh((x - centre + 0.5) * (1 / stretch)));
    const sum = weights.reduce((a, b) => a + b, 0);
    const normalised = sum === 0 ? weights : weights.map((weight) => weight / sum);
    return { first, weights: normalised.map((weight) => Math.trunc(weight * 2 ** WEIGHT_BITS + (weight < 0 ? -0.5 : 0.5))) };
  });
}

/** @param {number} sum */
function roundSum(sum) {
  const value = sum >> WEIGHT_BITS;
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

/**
 * Resample lines of pixels into a new image.
 * @param {{data: Uint8Array, strides: Strides}} source
 * @param {{data: Uint8Array, strides: Strides}} target
 * @param {Taps[]} taps
 * @param {number} nLines
 */
function resampleLines(source, target, taps, nLines) {
  for (let line = 0; line < nLines; line++) {
    for (let pixel = 0; pixel < taps.length; pixel++) {
      const { first, weights } = taps[pixel];
      let from = line * source.strides.line + first * source.strides.pixel;
      let red = 1 << (WEIGHT_BITS - 1);
      let green = red;
      let blue = red;
      for (let k = 0; k < weights.length; k++, from += source.strides.pixel) {
        red += source.data[from] * weights[k];
        green += source.data[from + 1] * weights[k];
        blue += source.data[from + 2] * weights[k];
      }
      const to = line * target.strides.line + pixel * target.strides.pixel;
      target.data[to] = roundSum(red);
      target.data[to + 1] = roundSum(green);
      target.data[to + 2] = roundSum(blue);
    }
  }
}

/** @param {RgbImage} image @param {number} width @param {Box} box @param {Filter} filter */
function resampleWidth(image, width, [left, , right], filter) {
  const { width: oldWidth, height } = image;
  if (width === oldWidth && left === 0 && right === oldWidth) return image;
  const data = new Uint8Array(width * height * 3);
  const source = { data: image.data, strides: { pixel: 3, line: 3 * oldWidth } };
  const target = { data, strides: { pixel: 3, line: 3 * width } };
  resampleLines(source, target, computeTaps(oldWidth, [left, right], width, filter), height);
  return { width, height, data };
}

/** @param {RgbImage} image @param {number} height @param {Box} box @param {Filter} filter */
function resampleHeight(image, height, [, top, , bottom], filter) {
  const { width, height: oldHeight } = image;
  if (height === oldHeight && top === 0 && bottom === oldHeight) return image;
  const data = new Uint8Array(width * height * 3);
  const strides = { pixel: 3 * width, line: 3 };
  const taps = computeTaps(oldHeight, [top, bottom], height, filter);
  resampleLines({ data: image.data, strides }, { data, strides }, taps, width);
  return { width, height, data };
}

/**
 * Resample in two passes, with Pillow's rounding after each; from version 13 on it begins with the heights where that is
 * less work.
 * @param {RgbImage} image
 * @param {[number, number]} size Width and height.
 * @param {Box} box
 * @param {Filter} filter
 */
function resampleImage(image, [width, height], box, filter) {
  const { width: oldWidth, height: oldHeight } = image;
  if (height < oldHeight && 2 * width * oldHeight > oldWidth * (oldHeight + height)) {
    return resampleWidth(resampleHeight(image, height, box, filter), width, box, filter);
  }
  return resampleHeight(resampleWidth(image, width, box, filter), height, box, filter);
}

/**
 * Return the means of blocks of pixels, as Pillow's Image.reduce; the last blocks may be smaller.
 * @param {RgbImage} image
 * @param {[number, number]} block Width and height.
 * @param {Box} [box] Of whole pixels.
 * @returns {RgbImage}
 */
function reduceImage(image, [blockWidth, blockHeight], box = [0, 0, image.width, image.height]) {
  const [left, top, right, bottom] = box;
  const width = Math.ceil((right - left) / blockWidth);
  const height = Math.ceil((bottom - top) / blockHeight);
  const data = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    const y0 = top + row * blockHeight;
    const y1 = Math.min(bottom, y0 + blockHeight);
    for (let column = 0; column < width; column++) {
      const x0 = left + column * blockWidth;
      const x1 = Math.min(right, x0 + blockWidth);
      const n = (y1 - y0) * (x1 - x0);
      const multiplier = Math.floor(2 ** 24 / n);
      for (let channel = 0; channel < 3; channel++) {
        let sum = n >> 1;
        for (let y = y0; y < y1; y++) {
          let from = (y * image.width + x0) * 3 + channel;
          for (let x = x0; x < x1; x++, from += 3) sum += image.data[from];
        }
        data[(row * width + column) * 3 + channel] = Math.floor((sum * multiplier) / 2 ** 24);
      }
    }
  }
  return { width, height, data };
}

/**
 * Return a box of whole pixels around another, with those that the filter reaches.
 * @param {RgbImage} image
 * @param {[number, number]} size
 * @param {Box} box
 * @param {Filter} filter
 * @returns {Box}
 */
function widenBox(image, [width, height], [left, top, right, bottom], filter) {
  const margin = filter.support - 0.5;
  const x = margin * ((right - left) / width);
  const y = margin * ((bottom - top) / height);
  return [
    Math.max(0, Math.trunc(left - x)), Math.max(0, Math.trunc(top - y)),
    Math.min(image.width, Math.ceil(right + x)), Math.min(image.height, Math.ceil(bottom + y)),
  ];
}

/**
 * Resize as Pillow's Image.resize with reducing_gap=2.
 * @param {RgbImage} image
 * @param {[number, number]} size Width and height.
 * @param {string} interpolation
 * @param {Box} box
 * @returns {RgbImage}
 */
function resizeBox(image, size, interpolation, box) {
  const [left, top, right, bottom] = box;
  const [width, height] = size;
  const filter = FILTERS[interpolation];
  const isWhole = left === 0 && top === 0 && right === image.width && bottom === image.height;
  if (isWhole && image.width === width && image.height === height) return image;
  const blockWidth = Math.trunc((right - left) / width / REDUCING_GAP) || 1;
  const blockHeight = Math.trunc((bottom - top) / height / REDUCING_GAP) || 1;
  if (blockWidth === 1 && blockHeight === 1) return resampleImage(image, size, box, filter);
  const around = widenBox(image, size, box, filter);
  const reduced = reduceImage(image, [blockWidth, blockHeight], around);
  const [x, y] = around;
  /** @type {Box} */
  const boxInReduced = [(left - x) / blockWidth, (top - y) / blockHeight, (right - x) / blockWidth, (bottom - y) / blockHeight];
  return resampleImage(reduced, size, boxInReduced, filter);
}

/** @param {RgbImage} image @param {ImageSpec} spec @returns {Box} */
function findBox({ width, height }, spec) {
  if (spec.fit !== "crop") return [0, 0, width, height];
  const side = Math.min(width, height) * Math.min(1, spec.size / spec.resize);
  const left = (width - side) / 2;
  const top = (height - side) / 2;
  return [left, top, left + side, top + side];
}

/**
 * Return an image as a base model reads it: (size, size, 3).
 * @param {RgbImage} image
 * @param {ImageSpec} spec
 */
export function resizeImage(image, spec) {
  return resizeBox(image, [spec.size, spec.size], spec.interpolation ?? "bilinear", findBox(image, spec));
}

/**
 * Return the small image that classic descriptors are made of.
 * @param {RgbImage} image
 * @param {ImageSpec} spec
 */
export function shrinkImage(image, spec) {
  return resizeBox(image, [spec.size, spec.size], "bilinear", [0, 0, image.width, image.height]);
}

/**
 * Return what the first bytes of a file say: whether it is a JPEG, whether Pillow would shrink it before it is turned, and
 * whether it is grey with 16 bits, of which a browser gives 8 only.
 * @param {ArrayLike<number>} bytes
 * @returns {ImageFormat}
 */
export function detectFormat(bytes) {
  /** @param {number[]} signature */
  const startsWith = (...signature) => signature.every((byte, place) => bytes[place] === byte);
  if (startsWith(0xff, 0xd8, 0xff)) return { isJpeg: true, isPlain: true, isDeep: false };
  if (startsWith(0x89, 0x50, 0x4e, 0x47)) {
    const [bits, colour] = [bytes[24], bytes[25]];
    return { isJpeg: false, isPlain: colour === 2 || (colour === 0 && bits > 1), isDeep: bits === 16 && colour === 0 };
  }
  return { isJpeg: false, isPlain: startsWith(0x42, 0x4d), isDeep: false };
}

/**
 * Bring a decoded image near the size that is needed, as Pillow does while it decodes.
 * @param {RgbImage} image
 * @param {number} shortest Side in pixels.
 * @param {Pick<ImageFormat, "isJpeg" | "isPlain">} format
 */
export function reduceDecoded(image, shortest, { isJpeg, isPlain }) {
  let reduced = image;
  if (isJpeg) {
    const most = Math.min(Math.floor(image.width / shortest), Math.floor(image.height / shortest));
    const scale = [8, 4, 2].find((factor) => most >= factor);
    if (scale) reduced = reduceImage(image, [scale, scale]);
  }
  const factor = Math.floor(Math.min(reduced.width, reduced.height) / (2 * shortest));
  const isLarge = reduced.width * reduced.height > LARGE_PIXELS;
  return factor >= 2 && (isPlain || isLarge) ? reduceImage(reduced, [factor, factor]) : reduced;
}

/**
 * Return red, green and blue of pixels with opacity, over white.
 * @param {ArrayLike<number>} pixels Four numbers each.
 * @param {number} width
 * @param {number} height
 * @returns {RgbImage}
 */
export function flattenOnWhite(pixels, width, height) {
  const data = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; from < pixels.length; from += 4) {
    const alpha = pixels[from + 3];
    for (let channel = 0; channel < 3; channel++) {
      const mixed = pixels[from + channel] * alpha + 255 * (255 - alpha) + 128;
      data[to++] = ((mixed >> 8) + mixed) >> 8;
    }
  }
  return { width, height, data };
}

/**
 * Open an image file in a browser: upright (the browser turns it by its EXIF), red, green and blue; colour profiles are
 * ignored, as Pillow does.
 * @param {Blob} blob
 */
async function decodeImage(blob) {
  if (blob.size === 0) throw new Error("the file is empty");
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  } catch {
    throw new Error("this is not an image that can be read");
  }
  const { width, height } = bitmap;
  if (width * height > MAX_PIXELS) throw new Error("the image has more than 178 million pixels");
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true, colorSpace: "srgb" });
  if (!context) throw new Error("this browser gives no pixels");
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const image = flattenOnWhite(context.getImageData(0, 0, width, height).data, width, height);
  canvas.width = canvas.height = 0; // Frees the memory at once.
  return image;
}

/**
 * Open an image file and bring it near the size that is needed.
 * @param {Blob} blob
 * @param {ImageSpec} spec
 */
export async function loadImage(blob, spec) {
  const format = detectFormat(new Uint8Array(await blob.slice(0, 32).arrayBuffer()));
  if (format.isDeep) throw new Error("a grey image of 16 bits cannot be read in a browser: use headstart predict");
  return reduceDecoded(await decodeImage(blob), spec.resize, format);
}
