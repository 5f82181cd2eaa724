import type { WgslFunction } from './functions.ts';

/** float16 as bits, for devices without it. Exact both ways, ties to even. */
export const storageFunctions = {
  halfToFloat: {
    code: `
fn halfToFloat(bits: u32) -> f32 {
  let sign = (bits & 0x8000u) << 16u;
  let exponent = (bits >> 10u) & 0x1fu;
  let digits = bits & 0x3ffu;
  let tiny = bitcast<u32>(f32(digits) * 5.9604644775390625e-8f);
  let normal = ((exponent + select(112u, 224u, exponent == 31u)) << 23u) | (digits << 13u);
  return bitcast<f32>(sign | select(normal, tiny, exponent == 0u));
}`,
  },
  floatToHalf: {
    code: `
fn floatToHalf(x: f32) -> u32 {
  let bits = bitcast<u32>(x);
  let sign = (bits >> 16u) & 0x8000u;
  let size = bits & 0x7fffffffu;
  if (size > 0x7f800000u) { return sign | 0x7e00u; }
  if (size >= 0x477ff000u) { return sign | 0x7c00u; }
  if (size < 0x38800000u) { return sign | u32(round(bitcast<f32>(size) * 16777216.0f)); }
  return sign | (((size + 0xfffu + ((size >> 13u) & 1u)) >> 13u) - 0x1c000u);
}`,
  },
  roundToHalf: {
    uses: ['floatToHalf', 'halfToFloat'],
    code: `
fn roundToHalf(x: f32) -> f32 {
  return halfToFloat(floatToHalf(x));
}`,
  },
} as const satisfies Record<string, WgslFunction>;
