import ndarray, { type NdArray } from 'ndarray';
import { type DType, type HostArray, hostArrayFrom, isFloat } from '../types/dtype.ts';
import { elementCount, type Shape, showShape, stridesOf } from '../types/shape.ts';
import { checkNumber } from './apply.ts';

/** Numbers or booleans in arrays of arrays, as deep as the tensor has axes. */
export type NestedArray = number | boolean | NestedArray[];

/** What nested arrays may be given as. */
export type NestedInput = number | boolean | readonly NestedInput[];

/** Nested arrays of numbers alone. */
export type NestedNumbers = number | readonly NestedNumbers[];

/** Arrays of numbers of one type. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint8ClampedArray
  | Uint16Array
  | Uint32Array;

/** An array of the `ndarray` package, of any element type that has a dtype here. */
export type NdArrayInput = NdArray<TypedArray> | NdArray<number[]>;

/** Row-major values of a dtype and their shape. */
export interface HostValues {
  readonly values: HostArray;
  readonly shape: Shape;
  readonly dtype: DType;
}

export function isNdarray(data: object): data is NdArrayInput {
  return 'stride' in data && 'offset' in data && 'shape' in data && 'data' in data;
}

export function isTypedArray(data: unknown): data is TypedArray {
  return ArrayBuffer.isView(data) && !(data instanceof DataView);
}

/** The dtype that holds a typed array's numbers: its own, int32 for narrower whole numbers. */
function dtypeOf(data: ArrayLike<unknown>): DType {
  if (data instanceof Float64Array) return 'float64';
  if (data instanceof Uint32Array) return 'uint32';
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    throw new Error('tensor: 64-bit integers have no dtype here. Convert to Int32Array or Float64Array first');
  }
  return isTypedArray(data) && !(data instanceof Float32Array) ? 'int32' : 'float32';
}

/** Whole-number dtypes take whole numbers only. */
function converted(values: ArrayLike<number>, dtype: DType): HostArray {
  if (!isFloat(dtype))
    for (let i = 0; i < values.length; i++)
      checkNumber('tensor', values[i] as number, dtype, 'Round the values first, or choose a float dtype');
  return hostArrayFrom(dtype, values);
}

export function fromTypedArray(data: TypedArray, shape: Shape = [data.length], dtype: DType = dtypeOf(data)) {
  if (elementCount(shape) !== data.length) {
    throw new Error(`tensor: ${data.length} values do not fill shape ${showShape(shape)}`);
  }
  return { values: converted(data, dtype), shape, dtype };
}

/** Walks strides and offset, so that views (transposed, cropped, reversed) come out right. */
export function fromNdarray(array: NdArrayInput, dtype: DType = dtypeOf(array.data)): HostValues {
  const shape = [...array.shape];
  const flat = new Float64Array(elementCount(shape));
  const strides = stridesOf(shape);
  for (let i = 0; i < flat.length; i++) {
    let place = array.offset;
    for (let axis = 0; axis < shape.length; axis++) {
      const index = Math.floor(i / (strides[axis] as number)) % (shape[axis] as number);
      place += index * (array.stride[axis] as number);
    }
    flat[i] = array.data[place] as number;
  }
  return { values: converted(flat, dtype), shape, dtype };
}

export function fromNested(data: NestedInput, shape: Shape | undefined, dtype: DType | undefined): HostValues {
  const found: number[] = [];
  for (let level = data; Array.isArray(level); level = level[0]) {
    found.push(level.length);
    if (level.length === 0) break;
  }
  const flat: (number | boolean)[] = [];
  flatten(data, found, 0, flat);
  const wanted = shape ?? found;
  if (elementCount(wanted) !== flat.length) {
    throw new Error(`tensor: ${flat.length} values do not fill shape ${showShape(wanted)}`);
  }
  const held = dtype ?? (typeof flat[0] === 'boolean' ? 'bool' : 'float32');
  return { values: converted(flat.map(Number), held), shape: wanted, dtype: held };
}

function flatten(data: NestedInput, shape: Shape, depth: number, into: (number | boolean)[]): void {
  if (depth === shape.length) {
    if (typeof data !== 'number' && typeof data !== 'boolean') {
      throw new Error(`tensor: needs numbers at depth ${depth} of nested arrays, got ${describe(data)}`);
    }
    into.push(data);
    return;
  }
  if (!Array.isArray(data) || data.length !== shape[depth]) {
    throw new Error(
      `tensor: nested arrays are ragged at depth ${depth}, expected ${shape[depth]} entries, got ${describe(data)}`,
    );
  }
  for (const entry of data) flatten(entry, shape, depth + 1, into);
}

function describe(data: unknown): string {
  return Array.isArray(data) ? `an array of ${data.length}` : data === null ? 'null' : typeof data;
}

/** Row-major values as nested arrays. */
export function nest(values: HostArray, shape: Shape, dtype: DType): NestedArray {
  let next = 0;
  const build = (axis: number): NestedArray => {
    if (axis < shape.length) return Array.from({ length: shape[axis] as number }, () => build(axis + 1));
    const value = values[next++] as number;
    return dtype === 'bool' ? value !== 0 : value;
  };
  return build(0);
}

export function toNdarray<A extends HostArray>(values: A, shape: Shape): NdArray<A> {
  return ndarray(values, [...shape]);
}

/** A host array of `length` entries, each computed from its position. */
export function tabulate(dtype: DType, length: number, entry: (index: number) => number): HostArray {
  return hostArrayFrom(
    dtype,
    Float64Array.from({ length }, (_, i) => entry(i)),
  );
}
