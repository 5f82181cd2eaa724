import type { DeviceBuffer } from '../kernel/backend.ts';
import { bytesPerElement, type DType, type HostArray, hostArray } from '../types/dtype.ts';
import { scalarFunctions } from './scalar-functions.ts';

/** What a buffer needs of its backend. */
export interface BufferHome {
  /** Runs `work` after everything given before; at once if there is nothing. */
  inOrder<T>(work: () => T): Promise<T>;
  freed(buffer: JsBuffer): void;
}

/** A typed array on the JavaScript heap. */
export class JsBuffer implements DeviceBuffer {
  readonly dtype: DType;
  readonly length: number;
  readonly home: BufferHome;
  #array: HostArray | undefined;
  #isFreed = false;

  constructor(dtype: DType, length: number, home: BufferHome) {
    this.dtype = dtype;
    this.length = length;
    this.home = home;
    this.#array = hostArray(dtype, length);
  }

  get bytes(): number {
    return this.length * bytesPerElement(this.dtype);
  }

  /** @throws when the buffer is freed. */
  array(use: string): HostArray {
    if (!this.#array) {
      throw new Error(
        `js backend: ${use} of a freed buffer, ${this.dtype} of length ${this.length}. Keep it until its last use is given`,
      );
    }
    return this.#array;
  }

  async write(values: HostArray): Promise<void> {
    const target = this.array('write');
    if (values.constructor !== target.constructor || values.length !== target.length) {
      throw new Error(
        `js backend: write of ${values.constructor.name} of length ${values.length} to a buffer of ${this.dtype}, length ${this.length}. Give a ${target.constructor.name} of that length`,
      );
    }
    const stored = storable(this.dtype, values);
    await this.home.inOrder(() => target.set(stored as Float32Array));
  }

  async read(): Promise<HostArray> {
    const source = this.array('read');
    return this.home.inOrder(() => source.slice());
  }

  free(): void {
    if (this.#isFreed) this.array('free');
    this.#isFreed = true;
    this.discard();
  }

  /** Gives up the memory; the owner may still free the handle. */
  discard(): void {
    if (this.#array) this.home.freed(this);
    this.#array = undefined;
  }
}

/** A copy of `values` (its owner may change it before earlier runs are done), as the dtype holds them. */
function storable(dtype: DType, values: HostArray): HostArray {
  if (dtype === 'float16') return Float32Array.from(values, scalarFunctions.roundToHalf);
  if (dtype === 'bool') return Uint8Array.from(values, (value) => (value === 0 ? 0 : 1));
  return values.slice();
}
