import type { DType } from '@evenkeel/tensor';
import { prefixOf, scalarType } from './arithmetic.ts';
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
  if (to === 'bool') {
    const zero = isVector ? builder.lanes(0, 0, 0, 0) : builder.number(source, 0);
    return vectors.toBools(builder.op(`${prefixOf(value.type, from)}.ne` as PlainOp, value, zero), from);
  }
  if (from === 'bool' && isVector) {
    return builder.op('v128.and', vectors.maskOf(value, to), vectors.splat(builder.number(target, 1), to));
  }
  if (source === target) return value;
  const name = `${source} ${target}`;
  const sign = (target === 'i32' ? to : from) === 'uint32' ? 'u' : 's';
  if (isVector) return builder.op(vectorConversions[name]?.(sign) as PlainOp, value);
  return builder.op(scalarConversions[name]?.(sign) as PlainOp, value);
}

const scalarConversions: Record<string, (sign: 's' | 'u') => PlainOp> = {
  'i32 f32': (sign) => `f32.convert_i32_${sign}`,
  'i32 f64': (sign) => `f64.convert_i32_${sign}`,
  'f32 i32': (sign) => `i32.trunc_sat_f32_${sign}`,
  'f64 i32': (sign) => `i32.trunc_sat_f64_${sign}`,
  'f32 f64': () => 'f64.promote_f32',
  'f64 f32': () => 'f32.demote_f64',
};

const vectorConversions: Record<string, (sign: 's' | 'u') => PlainOp> = {
  'i32 f32': (sign) => `f32x4.convert_i32x4_${sign}`,
  'i32 f64': (sign) => `f64x2.convert_low_i32x4_${sign}`,
  'f32 i32': (sign) => `i32x4.trunc_sat_f32x4_${sign}`,
  'f64 i32': (sign) => `i32x4.trunc_sat_f64x2_${sign}_zero`,
  'f32 f64': () => 'f64x2.promote_low_f32x4',
  'f64 f32': () => 'f32x4.demote_f64x2_zero',
};
