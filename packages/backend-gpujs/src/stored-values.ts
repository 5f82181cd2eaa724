import type { DType, HostArray } from '@evenkeel/tensor';

/** Whether values live on the device. Whole numbers and others stay on the host: float32 does not hold them. */
export function isOnDevice(dtype: DType): boolean {
  return dtype === 'float32' || dtype === 'bool';
}

/** Values as floats, always a copy; an empty buffer has one element all the same. */
export function toFloats(values: HostArray): Float32Array {
  return values.length === 0 ? new Float32Array(1) : Float32Array.from(values);
}

/** The other way round; takes `floats` over. */
export function fromFloats(dtype: DType, floats: Float32Array, length: number): HostArray {
  const values = floats.length === length ? floats : floats.subarray(0, length);
  return dtype === 'bool' ? Uint8Array.from(values, (value) => (value > 0.5 ? 1 : 0)) : values.slice();
}
