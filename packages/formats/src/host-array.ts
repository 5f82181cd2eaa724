import { type ArrayDType, bytesOfDType, storageOfDType, type TypedArray } from './dtype.ts';
import { decodeFloat16, encodeFloat16 } from './float16.ts';

/**
 * An array as files hold it: row-major (C order), `data.length` equal to the product of `shape`.
 *
 * | dtype | data |
 * |---|---|
 * | float64, float32, int32, uint32, int16, uint16, int8, uint8 | the typed array of that name |
 * | float16 | Float32Array (or Float64Array when writing) of values, or Uint16Array of raw bits |
 * | int64, uint64 | BigInt64Array, BigUint64Array |
 * | bool | Uint8Array of 0 and 1 |
 */
export interface HostArray {
  readonly dtype: ArrayDType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

/** How readers hand over dtypes that JavaScript has no plain array for. */
export interface HostArrayOptions {
  /** `'decode'`: float16 becomes a Float32Array of values. `'raw'`: a Uint16Array of bits. Default `'decode'`. */
  readonly float16?: 'decode' | 'raw';
  /** `'bigint'`: int64 becomes a BigInt64Array. `'int32'`: an int32 array; a value that does not fit throws. Default `'bigint'`. */
  readonly int64?: 'bigint' | 'int32';
}

/** The product of a shape; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Copies little-endian `bytes` of a whole array into a host array. `where` names it in errors. */
export function hostArrayFromBytes(
  dtype: ArrayDType,
  shape: readonly number[],
  bytes: Uint8Array,
  options: HostArrayOptions,
  where: string,
): HostArray {
  // The copy is aligned, wherever it stood in the file. (`slice` would not copy: a Buffer's returns a view.)
  const data = new storageOfDType[dtype](new Uint8Array(bytes).buffer);
  if (dtype === 'bool' && data.some((byte: number | bigint) => byte > 1)) {
    throw new RangeError(`${where}: a bool is neither 0 nor 1`);
  }
  if (dtype === 'float16' && options.float16 !== 'raw') {
    return { dtype, shape, data: decodeFloat16(data as Uint16Array) };
  }
  if (dtype === 'int64' && options.int64 === 'int32') {
    return { dtype: 'int32', shape, data: narrowToInt32(data as BigInt64Array, where) };
  }
  return { dtype, shape, data };
}

function narrowToInt32(values: BigInt64Array, where: string): Int32Array {
  const narrow = new Int32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    narrow[i] = Number(values[i]);
    if (BigInt(narrow[i]!) !== values[i]) {
      throw new RangeError(`${where}: int64 value ${values[i]} does not fit int32. Read it with int64: 'bigint'`);
    }
  }
  return narrow;
}

/** The little-endian bytes of a host array, after checking that dtype, shape and data agree. */
export function bytesOfHostArray(array: HostArray, where: string): Uint8Array {
  const { dtype, shape, data } = array;
  const storage = storageOfDType[dtype];
  if (storage === undefined) throw new TypeError(`${where}: dtype '${String(dtype)}' is not one that files hold`);
  const badSize = shape.find((size) => !Number.isSafeInteger(size) || size < 0);
  if (badSize !== undefined) throw new RangeError(`${where}: shape [${shape}] holds ${badSize}, not a size`);
  if (data.length !== elementCount(shape)) {
    throw new RangeError(`${where}: shape [${shape}] needs ${elementCount(shape)} elements, data has ${data.length}`);
  }
  const decoded = dtype === 'float16' && (data instanceof Float32Array || data instanceof Float64Array);
  const stored = decoded ? encodeFloat16(data) : data;
  if (!(stored instanceof storage)) {
    throw new TypeError(`${where}: dtype ${dtype} is held in ${storage.name}, got ${data.constructor.name}`);
  }
  return new Uint8Array(stored.buffer, stored.byteOffset, data.length * bytesOfDType[dtype]);
}
