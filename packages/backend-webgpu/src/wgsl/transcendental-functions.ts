import { cosineSeries, logErfc, sineSeries, singleCoefficients } from '@evenkeel/tensor/kernel';
import type { WgslFunction } from './functions.ts';

const float = (value: number): string => {
  const text = String(Math.fround(value));
  return `${/[.e]/.test(text) ? text : `${text}.0`}f`;
};

/** Horner's scheme, the constant term first. */
function polynomial(x: string, coefficients: readonly number[]): string {
  return coefficients.reduceRight(
    (rest, coefficient) => (rest === '' ? float(coefficient) : `(${rest} * ${x} + ${float(coefficient)})`),
    '',
  );
}

/** As many terms as float32 needs. */
const [sine, cosine] = [sineSeries.slice(0, 4), cosineSeries.slice(0, 5)];

/** ln 2 in two parts: products of the first with exponents are exact. */
export const ln2 = [0.693359375, -2.1219444005469057e-4] as const;

/** pi / 2 in parts whose products with up to 4096 quarter turns are exact, and the rest. */
const halfPi = [1.5703125, 0.00048351287841796875, 3.1385570764541626e-7, 6.07710062827671e-11] as const;

/** 2 / pi in binary: a word of zeros, then 224 digits. */
const twoOverPi = [0, 0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab];

/** Functions that WGSL leaves too inaccurate, or undefined far out. Errors are below two units in the last place. */
export const transcendentalFunctions = {
  /** e^x for x up to where the result is infinite; 2^n is multiplied in two steps. */
  exponential: {
    uses: ['isNan'],
    code: `
fn exponential(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  let bounded = clamp(x, -104.0f, 89.0f);
  let n = round(bounded * ${float(Math.LOG2E)});
  let r = (bounded - n * ${float(ln2[0])}) - n * ${float(ln2[1])};
  let power = r * r * ${polynomial('r', singleCoefficients.exp)} + r + 1.0f;
  let whole = i32(n);
  let half = whole >> 1u;
  return power * bitcast<f32>((half + 127) << 23u) * bitcast<f32>((whole - half + 127) << 23u);
}`,
  },
  /** A positive finite number as (fraction, exponent), the fraction near 1. */
  splitNearOne: {
    code: `
fn splitNearOne(x: f32) -> vec2f {
  let given = bitcast<u32>(x);
  let isTiny = given < 0x800000u;
  // A subnormal number is a small whole number of the smallest.
  let bits = select(given, bitcast<u32>(f32(given)), isTiny);
  let shifted = bits - 0x3f3504f3u;
  let exponent = bitcast<i32>(shifted) >> 23u;
  let fraction = bitcast<f32>((shifted & 0x7fffffu) + 0x3f3504f3u);
  return vec2f(fraction, f32(exponent) - select(0.0f, 149.0f, isTiny));
}`,
  },
  /** ln(x) = e ln 2 + 2 atanh((f - 1) / (f + 1)). */
  logarithm: {
    uses: ['isNan', 'special', 'splitNearOne'],
    code: `
fn logarithm(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  if ((bits & 0x7fffffffu) == 0u) { return special(0xff800000u); }
  if (isNan(x) || bits == 0x7f800000u) { return x; }
  if ((bits & 0x80000000u) != 0u) { return special(0x7fc00000u); }
  let parts = splitNearOne(x);
  let difference = parts.x - 1.0f;
  let s = difference / (parts.x + 1.0f);
  let z = s * s;
  // 2 atanh(s) = d - s d + 2 s³ (1/3 + ...): s d is small beside d, which is exact.
  let correction = s * (2.0f * z * ${polynomial('z', singleCoefficients.log)} - difference);
  return parts.y * ${float(ln2[0])} + ((parts.y * ${float(ln2[1])} + correction) + difference);
}`,
  },
  /** e^-|x| never overflows; both sides keep their relative accuracy. */
  sigmoid: {
    uses: ['exponential'],
    code: `
fn sigmoid(x: f32) -> f32 {
  let e = exponential(bitcast<f32>(bitcast<u32>(x) | 0x80000000u));
  return select(1.0f, e, (bitcast<u32>(x) & 0x80000000u) != 0u) / (e + 1.0f);
}`,
  },
  hyperbolicTangent: {
    uses: ['exponential', 'isNan', 'withSign'],
    code: `
fn hyperbolicTangent(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  let size = abs(x);
  if (size < 0.625f) {
    let z = x * x;
    return x + x * z * ${polynomial('z', singleCoefficients.tanh)};
  }
  return withSign(1.0f - 2.0f / (exponential(2.0f * min(size, 20.0f)) + 1.0f), x);
}`,
  },
  errorFunction: {
    uses: ['exponential', 'isNan', 'withSign'],
    code: `
fn errorFunction(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  let size = abs(x);
  if (size < 1.0f) {
    let z = x * x;
    return x * ${polynomial('z', singleCoefficients.erf)};
  }
  let bounded = min(size, 4.0f);
  return withSign(1.0f - exponential(${polynomial('bounded', logErfc)}), x);
}`,
  },
  /** The upper half of a product of whole numbers. */
  multiplyHigh: {
    code: `
fn multiplyHigh(a: u32, b: u32) -> u32 {
  let aLow = a & 0xffffu;
  let aHigh = a >> 16u;
  let bLow = b & 0xffffu;
  let bHigh = b >> 16u;
  let middle = aHigh * bLow + ((aLow * bLow) >> 16u);
  let other = aLow * bHigh + (middle & 0xffffu);
  return aHigh * bHigh + (middle >> 16u) + (other >> 16u);
}`,
  },
  /** x less quarter turns, and their number modulo 4: from 96 digits of 2 / pi (Payne & Hanek 1983). */
  reduceLarge: {
    uses: ['multiplyHigh'],
    code: `
fn reduceLarge(x: f32) -> vec2f {
  let bits = bitcast<u32>(x);
  // |x| = m 2^e with 24 digits in m; digits of 2 / pi that only add multiples of four turns are left out.
  let m = (bits & 0x7fffffu) | 0x800000u;
  let place = ((bits >> 23u) & 0xffu) - 120u;
  let at = place >> 5u;
  let shift = place & 31u;
  var digits = array<u32, ${twoOverPi.length}>(${twoOverPi.map((word) => `${word}u`).join(', ')});
  var words = array<u32, 3>();
  for (var i = 0u; i < 3u; i++) {
    let first = digits[at + i];
    let second = digits[min(at + i + 1u, ${twoOverPi.length - 1}u)];
    words[i] = (first << shift) | select(0u, second >> ((32u - shift) & 31u), shift != 0u);
  }
  let lowHigh = multiplyHigh(m, words[2]);
  let middleLow = m * words[1] + lowHigh;
  let carry = select(0u, 1u, middleLow < lowHigh);
  let high = m * words[0] + multiplyHigh(m, words[1]) + carry;
  // Quarter turns to the nearest; what is left is between -1/2 and 1/2 of one.
  let turns = (high + 0x20000000u) >> 30u;
  var rest = high - (turns << 30u);
  var low = middleLow;
  let isNegative = (rest & 0x80000000u) != 0u;
  if (isNegative) {
    low = ~low + 1u;
    rest = ~rest + select(0u, 1u, low == 0u);
  }
  let size = (f32(rest) + f32(low) * 2.3283064365386963e-10f) * ${float(Math.PI / 2 / 2 ** 30)};
  let isReversed = (bits & 0x80000000u) != 0u;
  let signed = select(size, -size, isNegative != isReversed);
  return vec2f(signed, f32(select(turns & 3u, (4u - turns) & 3u, isReversed)));
}`,
  },
  /** sin(x + quarters pi / 2). */
  sineOfQuarter: {
    uses: ['reduceLarge', 'special'],
    code: `
fn sineOfQuarter(x: f32, quarters: u32) -> f32 {
  if ((bitcast<u32>(x) & 0x7fffffffu) >= 0x7f800000u) { return special(0x7fc00000u); }
  var r = x;
  var turns = quarters;
  if (abs(x) < 6000.0f) {
    let n = round(x * ${float(2 / Math.PI)});
${halfPi.map((part) => `    r = r - n * ${float(part)};`).join('\n')}
    turns = turns + bitcast<u32>(i32(n));
  } else {
    let reduced = reduceLarge(x);
    r = reduced.x;
    turns = turns + u32(reduced.y);
  }
  let z = r * r;
  let sine = r + r * z * ${polynomial('z', sine)};
  let cosine = 1.0f + z * ${polynomial('z', cosine)};
  let value = select(sine, cosine, (turns & 1u) != 0u);
  return bitcast<f32>(bitcast<u32>(value) ^ ((turns & 2u) << 30u));
}`,
  },
  sineOf: {
    uses: ['sineOfQuarter'],
    code: `
fn sineOf(x: f32) -> f32 {
  if ((bitcast<u32>(x) & 0x7fffffffu) == 0u) { return x; }
  return sineOfQuarter(x, 0u);
}`,
  },
  cosineOf: {
    uses: ['sineOfQuarter'],
    code: `
fn cosineOf(x: f32) -> f32 {
  return sineOfQuarter(x, 1u);
}`,
  },
} as const satisfies Record<string, WgslFunction>;
