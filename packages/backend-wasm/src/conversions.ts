import type { DType } from '@evenkeel/tensor';
import { scalarType } from './arithmetic.ts';
import type { PlainOp } from './encoder.ts';
import type { LoopBuilder } from './loop-builder.ts';
import type { Value } from './loop-values.ts';
import type { Vectors } from './vectors.ts';

/**
 * A value of `from` as one of `to`. Floats lose their fraction, NaN becomes 0, what does not fit becomes the nearest
 * that does; whole numbers wrap.
 */
export function convert(builder: LoopBuilder, vectors: Vectors, value: Value, from: DType, to: DType): Value {
  if (from === to) return value;
  const isVector = value.type === 'v128';
  const [source, target] = [scalarType(from), scalarType(to)];
  if (isVector && (source === 'f64' || target === 'f64')) throw new Error('wasm backend: float64 is not in vectors');
  if (to === 'bool') {
    if (isVector) return builder.op(source === 'i32' ? 'i32x4.ne' : 'f32x4.ne', value, builder.lanes(0, 0, 0, 0));
    return builder.op(`${source}.ne` as PlainOp, value, builder.number(source, 0));
  }
  if (from === 'bool' && isVector) {
    return builder.op('v128.and', value, vectors.splat(builder.number(target, 1), to));
  }
  if (source === target) return value;
  if (source === 'i32') {
    const sign = from === 'uint32' ? 'u' : 's';
    return builder.op(isVector ? `f32x4.convert_i32x4_${sign}` : `${target as 'f32'}.convert_i32_${sign}`, value);
  }
  if (target === 'i32') {
    const sign = to === 'uint32' ? 'u' : 's';
    return builder.op(isVector ? `i32x4.trunc_sat_f32x4_${sign}` : `i32.trunc_sat_${source}_${sign}`, value);
  }
  return builder.op(target === 'f64' ? 'f64.promote_f32' : 'f32.demote_f64', value);
}
