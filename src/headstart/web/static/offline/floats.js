// Arrays as the exporter wrote them: one file, float16 numbers one after the other.

/** @typedef {import("./documents.js").FloatArray} FloatArray */

const FLOAT16_VALUES = new Float32Array(65536).map((_, bits) => {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * 2 ** -14 * (fraction / 1024);
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * 2 ** (exponent - 15) * (1 + fraction / 1024);
});

/**
 * Return the arrays of a buffer by name.
 * @param {ArrayBuffer} buffer
 * @param {{name: string, shape: number[]}[]} entries In the order of the buffer.
 */
export function readArrays(buffer, entries) {
  const bits = new Uint16Array(buffer);
  /** @type {Record<string, FloatArray>} */
  const arrays = {};
  let start = 0;
  for (const { name, shape } of entries) {
    const size = shape.reduce((a, b) => a * b, 1);
    const data = Float32Array.from(bits.subarray(start, start + size), (pattern) => FLOAT16_VALUES[pattern]);
    arrays[name] = { data, shape };
    start += size;
  }
  return arrays;
}
