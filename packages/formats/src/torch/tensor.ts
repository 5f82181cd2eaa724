import { decodeBfloat16 } from '../float16.ts';
import { elementCount, type HostArray, type HostArrayOptions, hostArrayFromBytes } from '../host-array.ts';
import { type TorchDType, TorchStorage, widthOf } from './storage.ts';

/** No tensor has more axes. */
const mostAxes = 64;

/**
 * A tensor of a PyTorch file: a strided view of a storage. Its elements are read when asked for.
 *
 * @example
 * ```ts
 * // of what readTorch gave
 * const describe = (value: unknown) =>
 *   value instanceof TorchTensor ? `[${value.shape.join(', ')}] of ${value.hostArray().dtype}` : typeof value;
 * describe(1); // 'number'
 * ```
 */
export class TorchTensor {
  readonly shape: readonly number[];
  /** Elements from one index of an axis to the next. */
  readonly strides: readonly number[];
  readonly #storage: TorchStorage;
  readonly #offset: number;

  /** @throws when the view passes the end of the storage, or repeats its elements so that it is larger. */
  constructor(storage: TorchStorage, offset: number, shape: readonly number[], strides: readonly number[]) {
    const last = shape.reduce((index, size, axis) => index + (size - 1) * (strides[axis] as number), offset);
    const count = elementCount(shape);
    if (count > 0 && last >= storage.length) {
      throw new Error(`a tensor of shape [${shape}] passes the end of its storage of ${storage.length} elements`);
    }
    if (count > storage.length) {
      throw new Error(`a tensor of shape [${shape}] repeats a storage of ${storage.length} elements`);
    }
    this.shape = shape;
    this.strides = strides;
    this.#storage = storage;
    this.#offset = offset;
  }

  get dtype(): TorchDType {
    return this.#storage.dtype;
  }

  /** Bytes that the elements take in a file. */
  get byteLength(): number {
    return elementCount(this.shape) * widthOf(this.dtype);
  }

  /** The elements, row-major. `where` names the tensor in errors. */
  hostArray(options: HostArrayOptions = {}, where = 'tensor'): HostArray {
    const { dtype, shape } = this;
    const bytes = this.#gather();
    if (dtype !== 'bfloat16') return hostArrayFromBytes(dtype, shape, bytes, options, where);
    return { dtype: 'float32', shape, data: decodeBfloat16(new Uint16Array(new Uint8Array(bytes).buffer)) };
  }

  /** The bytes of the elements in row-major order: of the storage itself where it has that order. */
  #gather(): Uint8Array {
    const width = widthOf(this.dtype);
    const count = elementCount(this.shape);
    const source = this.#storage.bytes;
    if (this.#isRowMajor()) return source.subarray(this.#offset * width, (this.#offset + count) * width);
    const gathered = new Uint8Array(count * width);
    const index = this.shape.map(() => 0);
    let from = this.#offset;
    for (let to = 0; to < count; to++) {
      for (let byte = 0; byte < width; byte++) gathered[to * width + byte] = source[from * width + byte] as number;
      for (let axis = index.length - 1; axis >= 0; axis--) {
        const [size, stride] = [this.shape[axis] as number, this.strides[axis] as number];
        from += stride;
        if (++(index[axis] as number) < size) break;
        from -= stride * size;
        index[axis] = 0;
      }
    }
    return gathered;
  }

  #isRowMajor(): boolean {
    let expected = 1;
    for (let axis = this.shape.length - 1; axis >= 0; axis--) {
      const size = this.shape[axis] as number;
      if (size !== 1 && this.strides[axis] !== expected) return false;
      expected *= size;
    }
    return true;
  }
}

/** `torch._utils._rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)`. */
export function rebuildTensor([storage, offset, shape, strides]: readonly unknown[]): TorchTensor {
  if (!(storage instanceof TorchStorage)) throw new Error('a tensor has no storage');
  if (!isSize(offset) || !isSizes(shape) || !isSizes(strides) || shape.length !== strides.length) {
    throw new Error('offset, shape and strides of a tensor are not sizes that fit together');
  }
  if (!Number.isSafeInteger(elementCount(shape))) throw new Error('a tensor has more elements than can be counted');
  return new TorchTensor(storage, offset, shape, strides);
}

/** `torch._utils._rebuild_parameter(tensor, requires_grad, hooks)`: the tensor. */
export function rebuildParameter([tensor]: readonly unknown[]): TorchTensor {
  if (!(tensor instanceof TorchTensor)) throw new Error('a parameter is no tensor');
  return tensor;
}

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const isSizes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length <= mostAxes && value.every(isSize);
