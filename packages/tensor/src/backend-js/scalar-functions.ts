import { erf } from '../graph/reference/erf.ts';
import { roundToHalf } from '../types/half.ts';

/** Scalar functions that generated code calls by name, where one JavaScript expression would not do. */
export const scalarFunctions = {
  erf,
  floorMod,
  floorDivideInt,
  moduloInt,
  floorDivideUint,
  moduloUint,
  floorDivide,
  modulo,
  power,
  roundToEven,
  roundToHalf,
  toInt32,
  toUint32,
} as const;

/** Modulo with the sign of a positive divisor. */
function floorMod(value: number, by: number): number {
  const rest = value % by;
  return rest < 0 ? rest + by : rest;
}

function floorDivideInt(a: number, b: number): number {
  return b === 0 ? 0 : Math.floor(a / b) | 0;
}

function moduloInt(a: number, b: number): number {
  if (b === 0) return 0;
  const rest = a % b;
  return (rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest) | 0;
}

function floorDivideUint(a: number, b: number): number {
  return b === 0 ? 0 : Math.floor(a / b);
}

function moduloUint(a: number, b: number): number {
  return b === 0 ? 0 : a % b;
}

/** The floor of the exact quotient: a rounded one may have reached the next whole number. */
function floorDivide(a: number, b: number): number {
  if (b === 0) return a / b;
  const size = Math.abs(b);
  if (size === Number.POSITIVE_INFINITY && Number.isFinite(a)) return a !== 0 && a < 0 !== b < 0 ? -1 : 0;
  // NaN for an infinite a: it has no remainder.
  return roundToEven((a - modulo(a, b)) / b);
}

/** Remainder with the sign of the divisor. */
function modulo(a: number, b: number): number {
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}

/** C's pow: 1 to any power is 1, and so is -1 to an infinite one; `Math.pow` says NaN. */
function power(a: number, b: number): number {
  if (a === 1 || (a === -1 && (b === Number.POSITIVE_INFINITY || b === Number.NEGATIVE_INFINITY))) return 1;
  return a ** b;
}

/** Adding 1.5 * 2^52 leaves no room for a fraction, and the sum rounds ties to even. Zeros keep the sign. */
function roundToEven(value: number): number {
  if (!(Math.abs(value) < 2 ** 51)) return value;
  const rounded = value + 6755399441055744 - 6755399441055744;
  return rounded === 0 ? value * 0 : rounded;
}

/** As WebAssembly and WGSL convert: the fraction goes, NaN becomes 0, what does not fit becomes the nearest that does. */
function toInt32(value: number): number {
  if (value >= -2147483648 && value <= 2147483647) return value | 0;
  return value > 0 ? 2147483647 : value < 0 ? -2147483648 : 0;
}

function toUint32(value: number): number {
  if (value >= 0 && value <= 4294967295) return value >>> 0;
  return value > 0 ? 4294967295 : 0;
}
