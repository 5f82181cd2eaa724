const bits = new Float64Array(1);
const words = new Uint32Array(bits.buffer);

/** The nearest float16, ties to even. */
export function roundToHalf(value: number): number {
  const size = Math.abs(value);
  if (!(size < 65520)) return size >= 65520 ? Math.sign(value) * Number.POSITIVE_INFINITY : value;
  // The power of two whose unit in the last place is float16's at this size.
  let shift = 2 ** 28;
  if (size >= 2 ** -14) {
    bits[0] = size;
    words[1] = ((words[1] as number) & 0x7ff00000) + (42 << 20);
    words[0] = 0;
    shift = bits[0];
  }
  const rounded = size + shift - shift;
  return Math.sign(value) * rounded; // -0 stays -0
}
