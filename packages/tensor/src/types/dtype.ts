import { roundToHalf } from './half.ts';

/** Element types. float32 is the default; float64 lives on CPU backends; float16 is a storage type. */
export type DType = 'float32' | 'float64' | 'float16' | 'int32' | 'uint32' | 'bool';

/** What a dtype is held in on the host. bool is 0 or 1 in bytes; float16 is decoded to float32. */
export interface HostArrays {
  float32: Float32Array;
  float64: Float64Array;
  float16: Float32Array;
  int32: Int32Array;
  uint32: Uint32Array;
  bool: Uint8Array;
}

/** The typed array that holds values of dtype `D` on the host. */
export type HostArray<D extends DType = DType> = HostArrays[D];

const constructors = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Float32Array,
  int32: Int32Array,
  uint32: Uint32Array,
  bool: Uint8Array,
} as const;

/**
 * A zero-filled host array of `length` elements.
 *
 * @example
 * hostArray('int32', 2); // Int32Array [0, 0]
 */
export function hostArray<D extends DType>(dtype: D, length: number): HostArray<D> {
  return new constructors[dtype](length) as HostArray<D>;
}

/**
 * A host array of `dtype` made from any sequence of numbers, rounded to what the dtype holds.
 *
 * @example
 * hostArrayFrom('float16', [1 / 3]); // Float32Array [0.333251953125]
 */
export function hostArrayFrom<D extends DType>(dtype: D, values: ArrayLike<number>): HostArray<D> {
  if (dtype === 'float16') return Float32Array.from(values, roundToHalf) as HostArray<D>;
  return constructors[dtype].from(values as ArrayLike<number>) as HostArray<D>;
}

const sizes = { float32: 4, float64: 8, float16: 4, int32: 4, uint32: 4, bool: 1 } as const;

/** Throws unless `dtype` is one of ours: programs without types may name another. */
export function checkDType(where: string, dtype: DType): void {
  if (Object.hasOwn(sizes, dtype)) return;
  throw new Error(`${where}: '${dtype}' is no dtype. Use one of ${Object.keys(sizes).join(', ')}`);
}

/**
 * Bytes of one element as a backend without packed storage holds it.
 *
 * @example
 * bytesPerElement('float64'); // 8
 */
export function bytesPerElement(dtype: DType): number {
  return sizes[dtype];
}

/**
 * Whether `dtype` holds real numbers, and so has gradients.
 *
 * @example
 * isFloat('int32'); // false
 */
export function isFloat(dtype: DType): dtype is 'float32' | 'float64' | 'float16' {
  return dtype === 'float32' || dtype === 'float64' || dtype === 'float16';
}

/**
 * Whether `dtype` holds whole numbers (bool is not one of them).
 *
 * @example
 * isInteger('int32'); // true
 */
export function isInteger(dtype: DType): dtype is 'int32' | 'uint32' {
  return dtype === 'int32' || dtype === 'uint32';
}
