import { type DType, type HostArray, hostArray } from '@evenkeel/tensor';
import { isWhole, partsOf } from './source/whole-numbers.ts';

/** Floats of a stored element: whole numbers take two, their high and their low part. */
export function floatsPerElement(dtype: DType): number {
  return isWhole(dtype) ? 2 : 1;
}

/** Values as floats, always a copy; an empty buffer has one all the same. */
export function toFloats(dtype: DType, values: HostArray): Float32Array {
  if (values.length === 0) return new Float32Array(1);
  if (!isWhole(dtype)) return Float32Array.from(values);
  const floats = new Float32Array(2 * values.length);
  for (let i = 0; i < values.length; i++) [floats[2 * i], floats[2 * i + 1]] = partsOf(values[i] as number);
  return floats;
}

/** The other way round, the first `length` elements: a copy. */
export function fromFloats(dtype: DType, floats: Float32Array, length: number): HostArray {
  if (dtype === 'bool') return Uint8Array.from(floats.subarray(0, length), (value) => (value > 0.5 ? 1 : 0));
  if (dtype === 'float32') return floats.slice(0, length);
  const values = hostArray(dtype, length);
  for (let i = 0; i < length; i++) {
    values[i] = isWhole(dtype)
      ? (floats[2 * i] as number) * 65536 + (floats[2 * i + 1] as number)
      : (floats[i] as number);
  }
  return values;
}
