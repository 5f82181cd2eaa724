const float64View = new Float64Array(1);
const wordView = new Uint32Array(float64View.buffer);
const float32View = new Float32Array(1);
const float32Bits = new Uint32Array(float32View.buffer);

// The machine's own byte order decides which half of a float64 holds the sign.
float64View[0] = 1;
const high = wordView[1] === 0 ? 0 : 1;

/**
 * The 16 bits of the IEEE half-precision number nearest to `value` (ties to even). Subnormals are kept, numbers from
 * 65520 on become infinity, and every NaN becomes 0x7e00. Rounds once, from float64.
 *
 * @example
 * ```ts
 * float16Bits(1); // 0x3c00
 * ```
 */
export function float16Bits(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  float64View[0] = value;
  const top = wordView[high]!;
  const sticky = wordView[1 - high] === 0 ? 0 : 1;
  const sign = (top >>> 16) & 0x8000;
  const exponent = ((top >>> 20) & 0x7ff) - 1023;
  if (exponent > 15) return sign | 0x7c00;
  if (exponent < -25) return sign;
  // Normal numbers keep 10 of the 20 fraction bits in the top word; subnormals lose one more for each step below -14.
  const drop = exponent >= -14 ? 10 : -4 - exponent;
  const significand = (top & 0xfffff) | (exponent >= -14 ? 0 : 0x100000);
  const kept = significand >>> drop;
  const rest = 2 * (significand & ((1 << drop) - 1)) + sticky;
  const half = 1 << drop;
  const roundUp = rest > half || (rest === half && (kept & 1) === 1) ? 1 : 0;
  // A carry out of the fraction is the next exponent, up to infinity: exactly what rounding means here.
  return sign | ((exponent >= -14 ? (exponent + 15) << 10 : 0) + kept + roundUp);
}

/**
 * The number that 16 bits of IEEE half precision stand for, exactly.
 *
 * @example
 * ```ts
 * float16Value(0x3c00); // 1
 * ```
 */
export function float16Value(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

let decodingTable: Float32Array | undefined;

/**
 * Decodes raw half-precision bits, `[N]`, to float32, exactly.
 *
 * @example
 * ```ts
 * decodeFloat16(new Uint16Array([0x3c00, 0x0001])); // Float32Array [1, 2 ** -24]
 * ```
 */
export function decodeFloat16(bits: Uint16Array): Float32Array {
  decodingTable ??= Float32Array.from({ length: 65536 }, (_, i) => float16Value(i));
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) values[i] = decodingTable[bits[i]!]!;
  return values;
}

/**
 * Rounds numbers, `[N]`, to half precision (nearest, ties to even) and returns their raw bits.
 *
 * @example
 * ```ts
 * encodeFloat16([1, 1 / 3]); // Uint16Array [0x3c00, 0x3555]
 * ```
 */
export function encodeFloat16(values: ArrayLike<number>): Uint16Array {
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) bits[i] = float16Bits(values[i]!);
  return bits;
}

/**
 * Decodes raw bfloat16 bits, `[N]`, to float32, exactly: they are the upper half of a float32.
 *
 * @example
 * ```ts
 * decodeBfloat16(new Uint16Array([0x3f80])); // Float32Array [1]
 * ```
 */
export function decodeBfloat16(bits: Uint16Array): Float32Array {
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) {
    float32Bits[0] = bits[i]! << 16;
    values[i] = float32View[0]!;
  }
  return values;
}
