import { bytesOfDType, type TypedArray } from '../dtype.ts';
import {
  bytesOfHostArray,
  elementCount,
  type HostArray,
  type HostArrayOptions,
  hostArrayFromBytes,
} from '../host-array.ts';
import { encodeNpyHeader, parseNpyHeader } from './npy-header.ts';

/** Options of {@link readNpy} and `readNpz`. */
export interface NpyReadOptions extends HostArrayOptions {
  /** Names the file in error messages. */
  readonly file?: string;
}

/**
 * Reads a NumPy array file (`.npy`, versions 1 to 3): f2, f4, f8, i1 to i8, u1 to u8, bool, either byte order. An array
 * stored in Fortran order is returned in C order. The result is a copy.
 *
 * @throws Error, one line, when the header is malformed, the element type is another (objects, records, complex numbers,
 * text) or the length of the file does not match its shape.
 * @example
 * ```ts
 * import { readFile, writeFile } from 'node:fs/promises';
 *
 * await writeFile('features.npy', writeNpy({ dtype: 'float32', shape: [1, 2], data: new Float32Array([1, 2]) }));
 * const { shape, data } = readNpy(await readFile('features.npy'), { file: 'features.npy' });
 * shape; // [1, 2]
 * data; // Float32Array [1, 2]
 * ```
 */
export function readNpy(bytes: Uint8Array, options: NpyReadOptions = {}): HostArray {
  const where = `readNpy${options.file === undefined ? '' : ` ${options.file}`}`;
  const { dtype, bigEndian, fortranOrder, shape, dataStart } = parseNpyHeader(bytes, where);
  const width = bytesOfDType[dtype];
  const expected = elementCount(shape) * width;
  if (expected !== bytes.length - dataStart) {
    throw new Error(`${where}: shape [${shape}] takes ${expected} bytes, the file holds ${bytes.length - dataStart}`);
  }
  let content = bytes.subarray(dataStart);
  if (bigEndian && width > 1) content = swapBytes(content, width);
  const array = hostArrayFromBytes(dtype, shape, content, options, where);
  return fortranOrder && shape.length > 1 ? { ...array, data: rowMajor(array) } : array;
}

/**
 * Writes an array as a `.npy` file, version 1.0, little endian, C order.
 *
 * @throws Error when dtype, shape and data of the array disagree.
 * @example
 * ```ts
 * const bytes = writeNpy({ dtype: 'float32', shape: [1, 2], data: new Float32Array([1, 2]) });
 * bytes.length; // 136, a header of 128 and 4 for each number
 * ```
 */
export function writeNpy(array: HostArray): Uint8Array {
  const content = bytesOfHostArray(array, 'writeNpy');
  const header = encodeNpyHeader(array.dtype, array.shape);
  const file = new Uint8Array(header.length + content.length);
  file.set(header);
  file.set(content, header.length);
  return file;
}

function swapBytes(bytes: Uint8Array, width: number): Uint8Array {
  const swapped = new Uint8Array(bytes);
  for (let at = 0; at < swapped.length; at += width) swapped.subarray(at, at + width).reverse();
  return swapped;
}

/** Elements of an array whose first axis runs fastest, with its last axis fastest instead. */
function rowMajor({ shape, data }: HostArray): TypedArray {
  const strides = shape.map((_, axis) => elementCount(shape.slice(0, axis)));
  const reordered = data.slice();
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < data.length; to++) {
    reordered[to] = data[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return reordered;
}
