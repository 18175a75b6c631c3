// Arrays as the exporter wrote them: one file, float16 numbers one after the other.

const ONE_HALF = new Float32Array(65536).map((_, bits) => {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * 2 ** -14 * (fraction / 1024);
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * 2 ** (exponent - 15) * (1 + fraction / 1024);
});

/** Give {name: {data, shape}} of what `listed` ({name, shape} each) says is in the buffer, in order. */
export function arraysOf(buffer, listed) {
  const bits = new Uint16Array(buffer);
  const found = {};
  let start = 0;
  for (const { name, shape } of listed) {
    const size = shape.reduce((a, b) => a * b, 1);
    found[name] = { data: Float32Array.from(bits.subarray(start, start + size), (one) => ONE_HALF[one]), shape };
    start += size;
  }
  return found;
}
