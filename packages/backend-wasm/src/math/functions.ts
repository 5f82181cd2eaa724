import {
  type Coefficients,
  cosineSeries,
  doubleCoefficients,
  logErfc,
  scaledErfc,
  sineSeries,
  singleCoefficients,
} from '@evenkeel/tensor/kernel';
import type { Local } from '../encoder.ts';
import type { Arithmetic, Value } from './arithmetic.ts';

const { POSITIVE_INFINITY: INFINITY, NaN: NAN } = Number;

/** ln 2 in two parts: products of the first with exponents are exact. */
const singleLn2 = [0.693359375, -2.1219444005469057e-4] as const;
const doubleLn2 = [0.6931471803691238, 1.9082149292705877e-10] as const;

/** pi / 2 in three parts of 33 bits and the rest. */
const halfPi = [1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21] as const;

function isSingle(m: Arithmetic): boolean {
  return m.shape === 'f32x4';
}

function coefficientsOf(m: Arithmetic): Coefficients {
  return isSingle(m) ? singleCoefficients : doubleCoefficients;
}

export function exp(m: Arithmetic, x: Value): Local {
  return boundedExp(m, m.atMost(x, isSingle(m) ? 89 : 710));
}

/**
 * exp(x) = 2^n exp(r), for x that do not exceed the largest result's by much; 2^n in two steps, so that results may be
 * subnormal and infinite only where they are.
 */
function boundedExp(m: Arithmetic, x: Value): Local {
  const [high, low] = isSingle(m) ? singleLn2 : doubleLn2;
  const bounded = m.atLeast(x, isSingle(m) ? -104 : -746);
  const { n, factors } = m.powerOfTwo(bounded, Math.LOG2E);
  const r = m.madd(n, -low, m.madd(n, -high, bounded));
  const power = m.polynomial(r, [1, 1, ...coefficientsOf(m).exp]);
  return m.mul(m.mul(power, factors[0]), factors[1]);
}

/** ln(x) = e ln 2 + 2 atanh((f - 1) / (f + 1)) with x = 2^e f and f near 1. */
export function log(m: Arithmetic, x: Value): Local {
  const [high, low] = isSingle(m) ? singleLn2 : doubleLn2;
  const { fraction, exponent } = splitNear1(m, x);
  const difference = m.sub(fraction, 1);
  const s = m.div(difference, m.add(fraction, 1));
  const z = m.mul(s, s);
  // 2 atanh(s) = d - s d + 2 s³ (1/3 + ...): s d is small beside d, which is exact.
  const series = m.mul(m.mul(z, 2), m.polynomial(z, coefficientsOf(m).log));
  const correction = m.mul(s, m.sub(series, difference));
  const sum = m.add(m.madd(exponent, low, correction), difference);
  return limitsOfLog(m, x, m.madd(exponent, high, sum));
}

function splitNear1(m: Arithmetic, x: Value): { fraction: Local; exponent: Local } {
  const digits = isSingle(m) ? 23 : 52;
  const isTiny = m.less(x, isSingle(m) ? 2 ** -126 : 2 ** -1022);
  const normal = m.select(isTiny, m.mul(x, 2 ** digits), x);
  const { fraction, exponent } = m.split(normal);
  const isLarge = m.less(Math.SQRT2, fraction);
  return {
    fraction: m.select(isLarge, m.mul(fraction, 0.5), fraction),
    exponent: m.sub(m.add(exponent, m.select(isLarge, 1, 0)), m.select(isTiny, digits, 0)),
  };
}

function limitsOfLog(m: Arithmetic, x: Value, value: Local): Local {
  const finite = m.select(m.less(x, INFINITY), value, x);
  return m.select(m.less(x, 0), NAN, m.select(m.equal(x, 0), -INFINITY, finite));
}

/** exp(-|x|) never overflows; both sides keep their relative accuracy. */
export function sigmoid(m: Arithmetic, x: Value): Local {
  const e = boundedExp(m, m.negativeSize(x));
  return m.div(m.select(m.less(x, 0), e, 1), m.add(e, 1));
}

export function tanh(m: Arithmetic, x: Value): Local {
  const size = m.abs(x);
  const z = m.mul(x, x);
  const near = m.madd(m.mul(size, z), m.polynomial(z, coefficientsOf(m).tanh), size);
  const far = m.sub(1, m.div(2, m.add(exp(m, m.add(size, size)), 1)));
  return m.withSign(m.select(m.less(size, 0.625), near, far), x);
}

export function erf(m: Arithmetic, x: Value): Local {
  const size = m.abs(x);
  const z = m.mul(x, x);
  const near = m.mul(x, m.polynomial(z, coefficientsOf(m).erf));
  const bounded = m.atMost(m.atLeast(size, 1), isSingle(m) ? 4 : 6);
  const complement = isSingle(m) ? exp(m, m.polynomial(bounded, logErfc)) : complementOf(m, bounded);
  return m.select(m.less(size, 1), near, m.withSign(m.sub(1, complement), x));
}

function complementOf(m: Arithmetic, x: Local): Local {
  const t = m.div(m.sub(x, 3), m.add(x, 3));
  return m.mul(exp(m, m.neg(m.mul(x, x))), m.polynomial(t, scaledErfc));
}

/**
 * sin(x + quarters * pi / 2), in float64: x = n pi / 2 + r, for |x| below 2^20.
 */
function sineOfQuarter(m: Arithmetic, x: Value, quarters: 0 | 1): Local {
  const n = m.nearest(m.mul(x, 2 / Math.PI));
  const [first, second, third] = halfPi;
  const r = m.sub(m.sub(m.sub(x, m.mul(n, first)), m.mul(n, second)), m.mul(n, third));
  return sineOfRest(m, r, quarters === 0 ? n : m.add(n, 1));
}

/** sin(r + turns * pi / 2) for |r| <= pi / 4. */
export function sineOfRest(m: Arithmetic, r: Value, turns: Value): Local {
  const z = m.mul(r, r);
  const sin = m.madd(m.mul(r, z), m.polynomial(z, sineSeries), r);
  const cos = m.add(m.mul(z, m.polynomial(z, cosineSeries)), 1);
  const half = m.floor(m.mul(turns, 0.5));
  const isOdd = m.notEqual(m.mul(half, 2), turns);
  const size = m.select(isOdd, cos, sin);
  const isNegative = m.notEqual(m.mul(m.floor(m.mul(half, 0.5)), 2), half);
  return m.select(isNegative, m.neg(size), size);
}

/** Up to here quarter turns can be taken off in float32. */
export const MODERATE = 6000;

/** pi / 2 in parts whose products with numbers of quarter turns are exact up to `MODERATE`, and the rest. */
const fewHalfPi = [1.5703125, 0.00048351287841796875, 3.1385570764541626e-7, 6.07710062827671e-11] as const;

/** sin(x + quarters * pi / 2) of four float32 up to `MODERATE`. */
export function sineOfFew(m: Arithmetic, x: Local, quarters: 0 | 1): Local {
  const { n, isOdd, sign } = m.turns(x, 2 / Math.PI, quarters);
  const r = fewHalfPi.reduce((rest: Local, part) => m.madd(n, -part, rest), x);
  const z = m.mul(r, r);
  const sin = m.madd(m.mul(r, z), m.polynomial(z, sineSeries.slice(0, 4)), r);
  const cos = m.madd(z, m.polynomial(z, cosineSeries.slice(0, 5)), 1);
  const value = m.withTurned(m.select(isOdd, cos, sin), sign);
  return quarters === 0 ? m.select(m.equal(x, 0), x, value) : value;
}

export function sin(m: Arithmetic, x: Value): Local {
  // Of -0 the subtractions above make 0.
  return m.select(m.equal(x, 0), x, sineOfQuarter(m, x, 0));
}

export function cos(m: Arithmetic, x: Value): Local {
  return sineOfQuarter(m, x, 1);
}

/** As C has it. In float64: the exponent y ln|x| is held in two parts. */
export function pow(m: Arithmetic, x: Value, y: Value): Local {
  const size = m.abs(x);
  const { high, low } = preciseLog(m, size);
  const product = m.mul(y, high);
  const { error } = exactProduct(m, y, high, product);
  const rest = m.madd(y, low, error);
  const power = exp(m, product);
  const isBounded = m.less(m.abs(rest), 1);
  const isPlain = m.and(isBounded, m.less(power, INFINITY));
  const value = m.select(isPlain, m.madd(power, rest, power), power);
  const isWhole = m.equal(m.floor(y), y);
  const half = m.mul(y, 0.5);
  const isOdd = m.and(isWhole, m.notEqual(m.floor(half), half));
  const signed = m.select(isOdd, m.withSign(value, x), value);
  const isImpossible = m.and(m.less(x, 0), m.and(m.less(-INFINITY, x), m.notEqual(m.floor(y), y)));
  const defined = m.select(isImpossible, NAN, signed);
  const isInfinite = m.and(m.equal(m.abs(y), INFINITY), m.equal(size, 1));
  const limited = m.select(isInfinite, 1, defined);
  return m.select(m.equal(y, 0), 1, m.select(m.equal(x, 1), 1, limited));
}

/** ln(x) as a sum of two numbers. */
function preciseLog(m: Arithmetic, x: Value): { high: Local; low: Local } {
  const { fraction, exponent } = splitNear1(m, x);
  const difference = m.sub(fraction, 1);
  const sum = m.add(fraction, 1);
  const s = m.div(difference, sum);
  // What s leaves out: (difference - s * (fraction + 1)) / sum, with the sum's own rounding error.
  const product = m.mul(s, sum);
  const { error } = exactProduct(m, s, sum, product);
  const sumError = m.sub(fraction, m.sub(sum, 1));
  const remainder = m.sub(m.sub(m.sub(difference, product), error), m.mul(s, sumError));
  const sRest = m.div(remainder, sum);
  const z = m.mul(s, s);
  const series = m.mul(m.mul(m.mul(s, 2), z), m.polynomial(z, doubleCoefficients.log));
  const [ln2High, ln2Low] = doubleLn2;
  const whole = m.mul(exponent, ln2High);
  const twice = m.add(s, s);
  const a = exactSum(m, whole, twice);
  const b = exactSum(m, a.sum, series);
  const low = m.add(m.add(a.error, b.error), m.madd(exponent, ln2Low, m.add(sRest, sRest)));
  const total = exactSum(m, b.sum, low);
  return { high: limitsOfLog(m, x, total.sum), low: total.error };
}

/** |a| >= |b| or a = 0. */
function exactSum(m: Arithmetic, a: Local, b: Local): { sum: Local; error: Local } {
  const sum = m.add(a, b);
  const part = m.sub(sum, a);
  return { sum, error: m.add(m.sub(a, m.sub(sum, part)), m.sub(b, part)) };
}

/** What rounding took from `product` of a and b, by halves of 26 bits. */
function exactProduct(m: Arithmetic, a: Value, b: Value, product: Local): { error: Local } {
  const halves = (value: Value) => {
    const scaled = m.mul(value, 2 ** 27 + 1);
    const high = m.sub(scaled, m.sub(scaled, value));
    return { high, low: m.sub(value, high) };
  };
  const [left, right] = [halves(a), halves(b)];
  const first = m.sub(m.mul(left.high, right.high), product);
  const crossed = m.add(m.add(first, m.mul(left.high, right.low)), m.mul(left.low, right.high));
  return { error: m.add(crossed, m.mul(left.low, right.low)) };
}
