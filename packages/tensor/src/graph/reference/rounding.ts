import type { DType } from '../../types/dtype.ts';

/** The nearest float16, ties to even. */
export function roundToHalf(value: number): number {
  const size = Math.abs(value);
  if (!(size < Number.POSITIVE_INFINITY) || size === 0) return value;
  const exponent = Math.max(Math.floor(Math.log2(size)), -14);
  const unit = 2 ** (exponent - 10);
  const rounded = roundHalfToEven(size / unit) * unit;
  return Math.sign(value) * (rounded > 65504 ? Number.POSITIVE_INFINITY : rounded);
}

/** The nearest whole number, ties to even; keeps the sign of zero. */
export function roundHalfToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (!(rest >= 0)) return value;
  const up = rest > 0.5 || (rest === 0.5 && below % 2 !== 0);
  const rounded = up ? below + 1 : below;
  return rounded === 0 && (value < 0 || Object.is(value, -0)) ? -0 : rounded;
}

/** What is kept of an exact value in `dtype`: floats are rounded, whole numbers wrap modulo 2^32. */
export function represent(dtype: DType, value: number): number {
  switch (dtype) {
    case 'float32':
      return Math.fround(value);
    case 'float16':
      return roundToHalf(value);
    case 'float64':
      return value;
    case 'bool':
      return value === 0 ? 0 : 1;
    default:
      return wrap(dtype, value);
  }
}

/** Whole numbers wrap modulo 2^32; floats and bools stay. */
export function wrap(dtype: DType, value: number): number {
  return dtype === 'int32' ? value | 0 : dtype === 'uint32' ? value >>> 0 : value;
}

/**
 * A cast. Floats become whole numbers by dropping the fraction; NaN becomes 0 and what does not fit becomes the nearest
 * number that does (as WebAssembly and WGSL convert). Whole numbers wrap among themselves. bool asks `x != 0`.
 */
export function castValue(from: DType, to: DType, value: number): number {
  if (to === 'bool') return value === 0 ? 0 : 1;
  if (to !== 'int32' && to !== 'uint32') return value;
  if (from === 'int32' || from === 'uint32' || from === 'bool') return wrap(to, value);
  const [low, high] = to === 'int32' ? [-(2 ** 31), 2 ** 31 - 1] : [0, 2 ** 32 - 1];
  return Number.isNaN(value) ? 0 : Math.min(Math.max(Math.trunc(value), low), high) + 0;
}
