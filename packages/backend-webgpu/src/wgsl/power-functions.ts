import type { WgslFunction } from './functions.ts';
import { ln2 } from './transcendental-functions.ts';

/**
 * x^y as C has it. The exponent y ln|x| is held in two floats; splits by masks keep all partial products exact.
 * Compilers would simplify what finds rounding errors, or round but once: `kept` values they must take as they are.
 */
export const powerFunctions = {
  kept: {
    code: `
fn kept(x: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) | none);
}`,
  },
  /** What rounding took from a product, by halves of 12 bits. */
  productError: {
    code: `
fn productError(a: f32, b: f32, product: f32) -> f32 {
  let aHigh = bitcast<f32>(bitcast<u32>(a) & 0xfffff000u);
  let bHigh = bitcast<f32>(bitcast<u32>(b) & 0xfffff000u);
  let aLow = a - aHigh;
  let bLow = b - bHigh;
  return (((aHigh * bHigh - product) + aHigh * bLow) + aLow * bHigh) + aLow * bLow;
}`,
  },
  /** (sum, its rounding error), where |a| >= |b| or a is 0. */
  exactSum: {
    uses: ['kept'],
    code: `
fn exactSum(a: f32, b: f32) -> vec2f {
  let sum = kept(a + b);
  let part = kept(sum - a);
  return vec2f(sum, (a - kept(sum - part)) + (b - part));
}`,
  },
  /** ln(x) of a positive finite number as a sum of two. */
  preciseLogarithm: {
    uses: ['exactSum', 'kept', 'productError', 'splitNearOne'],
    code: `
fn preciseLogarithm(x: f32) -> vec2f {
  let parts = splitNearOne(x);
  let difference = parts.x - 1.0f;
  let sum = kept(parts.x + 1.0f);
  let s = kept(difference / sum);
  let product = kept(s * sum);
  let missing = parts.x - kept(sum - 1.0f);
  let rest = (((difference - product) - productError(s, sum, product)) - s * missing) / sum;
  let z = s * s;
  let series = 2.0f * s * z * (((((0.07692308f * z + 0.09090909f) * z + 0.11111111f) * z + 0.14285715f) * z + 0.2f) * z + 0.33333334f);
  let first = exactSum(parts.y * ${ln2[0]}f, 2.0f * s);
  let second = exactSum(first.x, series);
  // 1/3 is not a float: what is missing of it counts here.
  let third = 2.0f * s * z * -9.934108e-9f;
  let low = first.y + second.y + (parts.y * ${Math.fround(ln2[1])}f + (2.0f * rest + third));
  return exactSum(second.x, low);
}`,
  },
  powerOf: {
    uses: ['exponential', 'isNan', 'kept', 'preciseLogarithm', 'productError', 'special'],
    code: `
fn powerOf(x: f32, y: f32) -> f32 {
  let size = bitcast<u32>(x) & 0x7fffffffu;
  let exponent = bitcast<u32>(y) & 0x7fffffffu;
  if (exponent == 0u || bitcast<u32>(x) == 0x3f800000u) { return 1.0f; }
  if (isNan(x) || isNan(y)) { return special(0x7fc00000u); }
  let isGrowing = (bitcast<u32>(y) & 0x80000000u) == 0u;
  if (exponent == 0x7f800000u) {
    if (size == 0x3f800000u) { return 1.0f; }
    return select(0.0f, special(0x7f800000u), (size > 0x3f800000u) == isGrowing);
  }
  // From 2^24 on all floats are even.
  let isWhole = exponent >= 0x4b800000u || floor(y) == y;
  let half = y * 0.5f;
  let isOdd = exponent < 0x4b800000u && isWhole && floor(half) != half;
  let isNegative = (bitcast<u32>(x) & 0x80000000u) != 0u;
  let sign = select(0u, 0x80000000u, isNegative && isOdd);
  if (size == 0u || size == 0x7f800000u) {
    return bitcast<f32>(sign | select(0u, 0x7f800000u, (size != 0u) == isGrowing));
  }
  if (isNegative && !isWhole) { return special(0x7fc00000u); }
  let logarithm = preciseLogarithm(bitcast<f32>(size));
  let bounded = clamp(y, -1e10f, 1e10f);
  let product = kept(clamp(bounded * logarithm.x, -200.0f, 200.0f));
  var power = exponential(product);
  if (abs(product) < 200.0f) {
    let rest = productError(bounded, logarithm.x, product) + bounded * logarithm.y;
    // Of a small power the correction would be subnormal, which devices may take for 0.
    let scale = select(vec2f(1.0f), vec2f(0x1p64f, 0x1p-64f), power < 0x1p-60f);
    let scaled = power * scale.x;
    let more = (scaled + scaled * rest) * scale.y;
    power = select(power, more, (bitcast<u32>(more) & 0x7f800000u) != 0x7f800000u);
  }
  return bitcast<f32>(bitcast<u32>(power) | sign);
}`,
  },
} as const satisfies Record<string, WgslFunction>;
