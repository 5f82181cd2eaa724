import type { DType } from '@evenkeel/tensor';
import type { ReduceOp } from '@evenkeel/tensor/kernel';
import { identityOf, prefixOf, scalarType } from './arithmetic.ts';
import type { PlainOp } from './encoder.ts';
import type { LoopBuilder } from './loop-builder.ts';
import type { Value } from './loop-values.ts';
import type { Vectors } from './vectors.ts';

/** What a reduction starts from. */
export function identity(builder: LoopBuilder, op: ReduceOp, dtype: DType): Value {
  return builder.number(scalarType(dtype), identityOf(op, dtype));
}

/** One more value in a reduction. max and min hand on NaN. */
export function combine(
  builder: LoopBuilder,
  vectors: Vectors,
  op: ReduceOp,
  dtype: DType,
  total: Value,
  value: Value,
): Value {
  const isVector = total.type === 'v128' || value.type === 'v128';
  const [a, b] = isVector ? [vectors.splat(total, dtype), vectors.splat(value, dtype)] : [total, value];
  if (dtype === 'bool')
    return builder.op(`${isVector ? 'v128' : 'i32'}.${op === 'max' || op === 'sum' ? 'or' : 'and'}`, a, b);
  const isInteger = scalarType(dtype) === 'i32';
  const prefix = prefixOf(a.type, dtype);
  if (op === 'sum' || op === 'prod') return builder.op(`${prefix}.${op === 'sum' ? 'add' : 'mul'}` as PlainOp, a, b);
  if (!isInteger) return builder.op(`${prefix}.${op}` as PlainOp, a, b);
  const sign = dtype === 'uint32' ? 'u' : 's';
  if (isVector) return builder.op(`i32x4.${op}_${sign}`, a, b);
  return builder.select(builder.op(`i32.${op === 'max' ? 'gt' : 'lt'}_${sign}` as PlainOp, a, b), a, b);
}

/** All lanes of vectors as one value: vectors pairwise, then their lanes. */
export function combineLanes(
  builder: LoopBuilder,
  vectors: Vectors,
  { op, value: { dtype } }: { readonly op: ReduceOp; readonly value: { readonly dtype: DType } },
  partial: readonly Value[],
): Value {
  const pairwise = (values: readonly Value[]): Value => {
    const [first, second, ...others] = values;
    if (!second) return first as Value;
    if (others.length === 0) return combine(builder, vectors, op, dtype, first as Value, second);
    const half = values.length / 2;
    return combine(builder, vectors, op, dtype, pairwise(values.slice(0, half)), pairwise(values.slice(half)));
  };
  const vector = pairwise(partial);
  return pairwise(Array.from({ length: vectors.lanes }, (_, lane) => vectors.extract(vector, lane, dtype)));
}
