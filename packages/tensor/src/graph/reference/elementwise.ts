import { isInteger } from '../../types/dtype.ts';
import type { BinaryOp, CompareOp, Node, UnaryOp } from '../node.ts';
import { erf } from './erf.ts';
import { castValue, roundHalfToEven, wrap } from './rounding.ts';

/** Values of a node, row-major; bools are 0 and 1. */
export type Values = Float64Array;

/** One element of each unary primitive. */
export const unaryFunctions: Readonly<Record<UnaryOp, (x: number) => number>> = {
  neg: (x) => -x,
  abs: Math.abs,
  sign: Math.sign,
  floor: Math.floor,
  ceil: Math.ceil,
  round: roundHalfToEven,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  sin: Math.sin,
  cos: Math.cos,
  tanh: Math.tanh,
  erf,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  not: (x) => 1 - x,
};

/** One element of each binary primitive on real numbers; floorDiv, mod and pow as NumPy and C define them. */
const binaryFunctions: Readonly<Record<BinaryOp, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  floorDiv: (a, b) => {
    if (b === 0) return a / b;
    const rest = remainder(a, b);
    const quotient = (a - rest) / b;
    return Number.isFinite(quotient) ? roundHalfToEven(quotient) : floorOfInfinite(a, b, quotient);
  },
  mod: remainder,
  pow: (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Number.POSITIVE_INFINITY) ? 1 : a ** b),
  max: Math.max,
  min: Math.min,
};

/** a - floor(a / b) * b, with the sign of b; NaN where b is 0 or a infinite. */
function remainder(a: number, b: number): number {
  const rest = a % b;
  if (rest === 0) return b < 0 ? -0 : 0;
  return rest < 0 !== b < 0 ? rest + b : rest;
}

/** The quotient of a finite number by an infinite one is 0 or -1; anything else keeps what arithmetic says. */
function floorOfInfinite(a: number, b: number, quotient: number): number {
  if (!Number.isFinite(a) || Math.abs(b) !== Number.POSITIVE_INFINITY) return quotient;
  return a !== 0 && a < 0 !== b < 0 ? -1 : 0;
}

/** One element of each binary primitive on whole numbers; the result wraps. Division by zero gives 0. */
const integerFunctions: Readonly<Record<BinaryOp, (a: number, b: number) => number>> = {
  ...binaryFunctions,
  mul: Math.imul,
  floorDiv: (a, b) => (b === 0 ? 0 : Math.floor(a / b)),
  mod: (a, b) => (b === 0 ? 0 : remainder(a, b)),
};

/** One element of each comparison. */
const compareFunctions: Readonly<Record<CompareOp, (a: number, b: number) => number>> = {
  equal: (a, b) => Number(a === b),
  notEqual: (a, b) => Number(a !== b),
  less: (a, b) => Number(a < b),
  lessEqual: (a, b) => Number(a <= b),
};

/** The scalar function behind a binary node, by its dtype. */
export function binaryFunction(node: Node<BinaryOp>): (a: number, b: number) => number {
  const { op, dtype } = node;
  if (!isInteger(dtype)) return binaryFunctions[op];
  return (a, b) => wrap(dtype, integerFunctions[op](a, b));
}

export function unary([x]: readonly Values[], node: Node<UnaryOp>): Values {
  const apply = unaryFunctions[node.op];
  return (x as Values).map((value) => wrap(node.dtype, apply(value)));
}

export function binary([a, b]: readonly Values[], node: Node<BinaryOp>): Values {
  const apply = binaryFunction(node);
  return (a as Values).map((value, i) => apply(value, (b as Values)[i] as number));
}

export function compare([a, b]: readonly Values[], node: Node<CompareOp>): Values {
  const apply = compareFunctions[node.op];
  return (a as Values).map((value, i) => apply(value, (b as Values)[i] as number));
}

export function where([condition, a, b]: readonly Values[]): Values {
  return (condition as Values).map((chosen, i) => ((chosen ? a : b) as Values)[i] as number);
}

export function cast([x]: readonly Values[], node: Node<'cast'>): Values {
  const from = (node.sources[0] as Node).dtype;
  return (x as Values).map((value) => castValue(from, node.dtype, value));
}
