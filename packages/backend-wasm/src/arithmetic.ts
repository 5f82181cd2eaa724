import type { DType } from '@evenkeel/tensor';
import type { Expr, ReduceOp } from '@evenkeel/tensor/kernel';
import type { PlainOp, ValueType } from './encoder.ts';

export type UnaryOp = Extract<Expr, { kind: 'unary' }>['op'];
export type BinaryOp = Extract<Expr, { kind: 'binary' }>['op'];
export type CompareOp = Extract<Expr, { kind: 'compare' }>['op'];

/** What a dtype is computed in: one element, or four of them. float16 is computed as float32. */
export function scalarType(dtype: DType): 'i32' | 'f32' | 'f64' {
  if (dtype === 'float64') return 'f64';
  return dtype === 'float32' || dtype === 'float16' ? 'f32' : 'i32';
}

export const shapeOf: Record<'i32' | 'f32' | 'f64', 'i32x4' | 'f32x4' | 'f64x2'> = {
  i32: 'i32x4',
  f32: 'f32x4',
  f64: 'f64x2',
};

/** Prefix of the instructions on values of `type` that hold elements of `dtype`. */
export function prefixOf(type: ValueType, dtype: DType): string {
  return type === 'v128' ? shapeOf[scalarType(dtype)] : scalarType(dtype);
}

export const floatUnary: Partial<Record<UnaryOp, string>> = {
  neg: 'neg',
  abs: 'abs',
  floor: 'floor',
  ceil: 'ceil',
  round: 'nearest',
  sqrt: 'sqrt',
};

export const floatBinary: Partial<Record<BinaryOp, string>> = {
  add: 'add',
  sub: 'sub',
  mul: 'mul',
  div: 'div',
  max: 'max',
  min: 'min',
};

/** The instruction of a comparison on values of `type` that hold elements of `dtype`. */
export function comparison(op: CompareOp, type: ValueType, dtype: DType): PlainOp {
  const name = { equal: 'eq', notEqual: 'ne', less: 'lt', lessEqual: 'le' }[op];
  const isOrder = op === 'less' || op === 'lessEqual';
  if (scalarType(dtype) !== 'i32') return `${prefixOf(type, dtype)}.${name}` as PlainOp;
  // In vectors true is -1, below false.
  const turned = dtype === 'bool' && type === 'v128' && isOrder;
  const order = turned ? { lt: 'gt', le: 'ge' }[name as 'lt' | 'le'] : name;
  const sign = isOrder ? (dtype === 'uint32' ? '_u' : '_s') : '';
  return `${prefixOf(type, dtype)}.${order}${sign}` as PlainOp;
}

/** What a reduction starts from. */
export function identityOf(op: ReduceOp, dtype: DType): number {
  if (op === 'sum') return 0;
  if (op === 'prod') return 1;
  const low = { int32: -(2 ** 31), uint32: 0, bool: 0 } as Partial<Record<DType, number>>;
  const high = { int32: 2 ** 31 - 1, uint32: -1, bool: 1 } as Partial<Record<DType, number>>;
  return op === 'max' ? (low[dtype] ?? Number.NEGATIVE_INFINITY) : (high[dtype] ?? Number.POSITIVE_INFINITY);
}

/** A number as a literal of `dtype`. */
export function literalOf(dtype: DType, value: number): number {
  switch (dtype) {
    case 'int32':
    case 'uint32':
      return value | 0;
    case 'bool':
      return value === 0 ? 0 : 1;
    default:
      return value;
  }
}
