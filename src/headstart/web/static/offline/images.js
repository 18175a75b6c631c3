// Pictures as the model wants them. Sizes, filters and rounding are those of Pillow, so that a pixel here is a pixel there:
// the twin of headstart/modalities/image.py. A picture is {width, height, data}, data being red, green, blue a pixel.

const BITS = 22; // Weights are whole numbers of 2^-22, as in Pillow's resampling of 8-bit pixels.
const GAP = 2;
const MOST_PIXELS = 178956970;
const LARGE_PIXELS = 16000000; // Larger ones are made smaller whatever they are, to spare memory.

function bilinear(x) {
  const far = Math.abs(x);
  return far < 1 ? 1 - far : 0;
}

function bicubic(x) {
  const far = Math.abs(x);
  if (far < 1) return (1.5 * far - 2.5) * far * far + 1;
  return far < 2 ? (((far - 5) * far + 8) * far - 4) * -0.5 : 0;
}

const FILTERS = { bilinear: { weigh: bilinear, support: 1 }, bicubic: { weigh: bicubic, support: 2 } };

/** For each new pixel of a line: where its old ones begin, and their weights. */
function weightsOf(size, start, stop, made, filter) {
  const from = Math.fround(start);
  const scale = Math.fround(Math.fround(stop) - from) / made;
  const wide = Math.max(1, scale);
  const support = filter.support * wide;
  return Array.from({ length: made }, (_, place) => {
    const centre = from + (place + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const last = Math.min(size, Math.trunc(centre + support + 0.5));
    const weights = [];
    for (let x = first; x < last; x++) weights.push(filter.weigh((x - centre + 0.5) * (1 / wide)));
    const sum = weights.reduce((a, b) => a + b, 0);
    const shares = sum === 0 ? weights : weights.map((weight) => weight / sum);
    return { first, weights: shares.map((share) => Math.trunc(share * 2 ** BITS + (share < 0 ? -0.5 : 0.5))) };
  });
}

function clipped(sum) {
  const value = sum >> BITS;
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

/** Resample lines of pixels: `along` and `across` are the steps between pixels of a line and between lines. */
function pass(data, made, weights, lines, [along, across], [madeAlong, madeAcross]) {
  for (let line = 0; line < lines; line++) {
    for (let place = 0; place < weights.length; place++) {
      const { first, weights: some } = weights[place];
      let at = line * across + first * along;
      let red = 1 << (BITS - 1);
      let green = red;
      let blue = red;
      for (let k = 0; k < some.length; k++, at += along) {
        red += data[at] * some[k];
        green += data[at + 1] * some[k];
        blue += data[at + 2] * some[k];
      }
      const to = line * madeAcross + place * madeAlong;
      made[to] = clipped(red);
      made[to + 1] = clipped(green);
      made[to + 2] = clipped(blue);
    }
  }
}

function widened(picture, width, [left, , right], filter) {
  const { width: w, height: h } = picture;
  if (width === w && left === 0 && right === w) return picture;
  const data = new Uint8Array(width * h * 3);
  pass(picture.data, data, weightsOf(w, left, right, width, filter), h, [3, 3 * w], [3, 3 * width]);
  return { width, height: h, data };
}

function heightened(picture, height, [, top, , bottom], filter) {
  const { width: w, height: h } = picture;
  if (height === h && top === 0 && bottom === h) return picture;
  const data = new Uint8Array(w * height * 3);
  pass(picture.data, data, weightsOf(h, top, bottom, height, filter), w, [3 * w, 3], [3 * w, 3]);
  return { width: w, height, data };
}

/** Pillow rounds after each of the two passes; from version 13 on it begins with the heights where that is less work. */
function stretched(picture, width, height, box, filter) {
  const { width: w, height: h } = picture;
  if (height < h && 2 * width * h > w * (h + height)) {
    return widened(heightened(picture, height, box, filter), width, box, filter);
  }
  return heightened(widened(picture, width, box, filter), height, box, filter);
}

/** Pillow's Image.reduce: means of blocks of pixels within a box of whole pixels; those at the end may be smaller. */
export function reduced(picture, across, down, box = [0, 0, picture.width, picture.height]) {
  const [left, top, right, bottom] = box;
  const width = Math.ceil((right - left) / across);
  const height = Math.ceil((bottom - top) / down);
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const y0 = top + y * down;
    const y1 = Math.min(bottom, y0 + down);
    for (let x = 0; x < width; x++) {
      const x0 = left + x * across;
      const x1 = Math.min(right, x0 + across);
      const n = (y1 - y0) * (x1 - x0);
      const multiplier = Math.floor(2 ** 24 / n);
      for (let channel = 0; channel < 3; channel++) {
        let sum = n >> 1;
        for (let yy = y0; yy < y1; yy++) {
          let at = (yy * picture.width + x0) * 3 + channel;
          for (let xx = x0; xx < x1; xx++, at += 3) sum += picture.data[at];
        }
        data[(y * width + x) * 3 + channel] = Math.floor((sum * multiplier) / 2 ** 24);
      }
    }
  }
  return { width, height, data };
}

function safeBox(picture, width, height, box, filter) {
  const more = filter.support - 0.5;
  const across = more * ((box[2] - box[0]) / width);
  const down = more * ((box[3] - box[1]) / height);
  return [
    Math.max(0, Math.trunc(box[0] - across)), Math.max(0, Math.trunc(box[1] - down)),
    Math.min(picture.width, Math.ceil(box[2] + across)), Math.min(picture.height, Math.ceil(box[3] + down)),
  ];
}

/** Pillow's Image.resize with reducing_gap=2. */
export function resized(picture, width, height, interpolation, box = [0, 0, picture.width, picture.height]) {
  const filter = FILTERS[interpolation];
  const { width: w, height: h } = picture;
  if (w === width && h === height && box[0] === 0 && box[1] === 0 && box[2] === w && box[3] === h) return picture;
  const across = Math.trunc((box[2] - box[0]) / width / GAP) || 1;
  const down = Math.trunc((box[3] - box[1]) / height / GAP) || 1;
  if (across === 1 && down === 1) return stretched(picture, width, height, box, filter);
  const safe = safeBox(picture, width, height, box, filter);
  const small = reduced(picture, across, down, safe);
  const rest = [0, 1, 2, 3].map((side) => (box[side] - safe[side % 2]) / (side % 2 ? down : across));
  return stretched(small, width, height, rest, filter);
}

const FITS = {
  crop: ({ width, height }, spec) => {
    const side = Math.min(width, height) * Math.min(1, spec.size / spec.resize);
    const left = (width - side) / 2;
    const top = (height - side) / 2;
    return [left, top, left + side, top + side];
  },
  squash: ({ width, height }) => [0, 0, width, height],
};

/** The picture as a base wants it: (size, size, 3). */
export function squared(picture, spec) {
  return resized(picture, spec.size, spec.size, spec.interpolation, FITS[spec.fit](picture, spec));
}

/** The small picture that classic descriptors are made of. */
export function shrunk(picture, spec) {
  return resized(picture, spec.size, spec.size, "bilinear");
}

/**
 * What the first bytes of a file say: whether it is a JPEG, whether Pillow would shrink it before it is turned, and whether
 * it is grey with 16 bits, of which a browser gives 8 only.
 */
export function kindOf(bytes) {
  const starts = (...marks) => marks.every((mark, place) => bytes[place] === mark);
  if (starts(0xff, 0xd8, 0xff)) return { jpeg: true, plain: true };
  if (starts(0x89, 0x50, 0x4e, 0x47)) {
    const deep = bytes[24] === 16 && bytes[25] === 0;
    return { jpeg: false, plain: bytes[25] === 2 || (bytes[25] === 0 && bytes[24] > 1), deep };
  }
  return { jpeg: false, plain: starts(0x42, 0x4d) };
}

/** Bring a decoded picture near the size that is needed, as Pillow does while it decodes. */
export function nearly(picture, shortest, { jpeg, plain }) {
  let now = picture;
  if (jpeg) {
    const most = Math.min(Math.floor(now.width / shortest), Math.floor(now.height / shortest));
    const scale = [8, 4, 2].find((factor) => most >= factor);
    if (scale) now = reduced(now, scale, scale);
  }
  const factor = Math.floor(Math.min(now.width, now.height) / (2 * shortest));
  const large = now.width * now.height > LARGE_PIXELS;
  return factor >= 2 && (plain || large) ? reduced(now, factor, factor) : now;
}

/** Red, green and blue of pixels with opacity, over white. */
export function overWhite(pixels, width, height) {
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
 * Open a picture file in a browser: upright (the browser turns it by its EXIF), red, green and blue; colour profiles are
 * ignored, as Pillow does.
 */
export async function decoded(blob) {
  if (blob.size === 0) throw new Error("the file is empty");
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  } catch {
    throw new Error("this is not a picture that can be read");
  }
  const { width, height } = bitmap;
  if (width * height > MOST_PIXELS) throw new Error("the picture has more than 178 million pixels");
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true, colorSpace: "srgb" });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const picture = overWhite(context.getImageData(0, 0, width, height).data, width, height);
  canvas.width = canvas.height = 0; // Gives the memory back at once.
  return picture;
}

/** Open a picture file and bring it near the size that is needed. */
export async function load(blob, spec) {
  const kind = kindOf(new Uint8Array(await blob.slice(0, 32).arrayBuffer()));
  if (kind.deep) throw new Error("a grey picture of 16 bits cannot be read in a browser: use headstart predict");
  return nearly(await decoded(blob), spec.resize, kind);
}
