import type { DType } from '@evenkeel/tensor';
import type { BinaryOp, UnaryOp } from './arithmetic.ts';
import type { PlainOp } from './encoder.ts';
import type { LoopBuilder } from './loop-builder.ts';
import type { Value } from './loop-values.ts';
import type { RuntimeFunctions } from './runtime-functions.ts';
import type { Vectors } from './vectors.ts';

/** Unary operations on int32 and uint32, which wrap. */
export function integerUnary(vectors: Vectors, builder: LoopBuilder, op: UnaryOp, value: Value, dtype: DType): Value {
  const zero = builder.i32(0);
  switch (op) {
    case 'neg':
      return value.type === 'v128' ? builder.op('i32x4.neg', value) : builder.op('i32.sub', zero, value);
    case 'abs': {
      if (dtype === 'uint32') return value;
      if (value.type === 'v128') return builder.op('i32x4.abs', value);
      const negated = builder.op('i32.sub', zero, value);
      return builder.select(builder.op('i32.lt_s', value, zero), negated, value);
    }
    case 'sign':
      return vectors.each(dtype, [dtype], [value], (element) => {
        const isPositive = builder.op(dtype === 'uint32' ? 'i32.ne' : 'i32.gt_s', element, zero);
        return dtype === 'uint32'
          ? isPositive
          : builder.op('i32.sub', isPositive, builder.op('i32.lt_s', element, zero));
      });
    case 'floor':
    case 'ceil':
    case 'round':
      return value;
    default:
      throw new Error(`wasm backend: no ${op} of ${dtype}`);
  }
}

/** Binary operations on int32, uint32 and bool. Whole numbers wrap; what is divided by 0 becomes 0. */
export function integerBinary(
  vectors: Vectors,
  runtime: RuntimeFunctions,
  builder: LoopBuilder,
  op: BinaryOp,
  left: Value,
  right: Value,
  dtype: DType,
): Value {
  const isVector = left.type === 'v128' || right.type === 'v128';
  const [a, b] = isVector ? [vectors.splat(left, dtype), vectors.splat(right, dtype)] : [left, right];
  if (dtype === 'bool') return builder.op(`${isVector ? 'v128' : 'i32'}.${op === 'max' ? 'or' : 'and'}`, a, b);
  switch (op) {
    case 'add':
    case 'sub':
    case 'mul':
      return builder.op(`${isVector ? 'i32x4' : 'i32'}.${op}`, a, b);
    case 'max':
    case 'min': {
      const sign = dtype === 'uint32' ? 'u' : 's';
      if (isVector) return builder.op(`i32x4.${op}_${sign}`, a, b);
      return builder.select(builder.op(`i32.${op === 'max' ? 'gt' : 'lt'}_${sign}` as PlainOp, a, b), a, b);
    }
    case 'floorDiv':
    case 'mod': {
      const power = right.form.kind === 'number' ? powerOfTwo(right.form.value) : undefined;
      if (power !== undefined) {
        // Towards minus infinity, as shifts go.
        const shape = left.type === 'v128' ? 'i32x4' : 'i32';
        const sign = dtype === 'uint32' ? 'u' : 's';
        if (op === 'floorDiv') return builder.op(`${shape}.shr_${sign}`, left, builder.i32(power));
        const mask = builder.i32(2 ** power - 1);
        return builder.op(isVector ? 'v128.and' : 'i32.and', a, isVector ? vectors.splat(mask, dtype) : mask);
      }
      const name = `${op === 'mod' ? 'modulo' : 'floorDivide'}${dtype === 'uint32' ? 'Unsigned' : 'Signed'}` as const;
      return vectors.each(dtype, [dtype, dtype], [a, b], (x, y) => builder.call(runtime[name], 'i32', x, y));
    }
    default:
      throw new Error(`wasm backend: no ${op} of ${dtype}`);
  }
}

function powerOfTwo(value: number): number | undefined {
  return value > 0 && (value & (value - 1)) === 0 ? Math.log2(value) : undefined;
}
