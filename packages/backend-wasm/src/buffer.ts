import { bytesPerElement, type DeviceBuffer, type DType, type HostArray, hostArray } from '@evenkeel/tensor';
import type { HostMemory } from './host-memory.ts';

/** What a buffer needs of its backend. */
export interface BufferHome {
  readonly memory: HostMemory;
  /** Runs `work` after everything given before. */
  inOrder<T>(work: () => T | Promise<T>): Promise<T>;
  freed(buffer: WasmBuffer, address: number): void;
}

/** A part of a backend's memory. */
export class WasmBuffer implements DeviceBuffer {
  readonly dtype: DType;
  readonly length: number;
  readonly home: BufferHome;
  readonly #address: number;
  #isFreed = false;
  #isDiscarded = false;

  constructor(dtype: DType, length: number, address: number, home: BufferHome) {
    this.dtype = dtype;
    this.length = length;
    this.home = home;
    this.#address = address;
  }

  get bytes(): number {
    return this.length * bytesPerElement(this.dtype);
  }

  /** @throws when the buffer is freed. */
  address(use: string): number {
    if (this.#isFreed || this.#isDiscarded) {
      throw new Error(
        `wasm backend: ${use} of a freed buffer, ${this.dtype} of length ${this.length}. Keep it until its last use is given`,
      );
    }
    return this.#address;
  }

  async write(values: HostArray): Promise<void> {
    const address = this.address('write');
    const expected = hostArray(this.dtype, 0).constructor;
    if (values.constructor !== expected || values.length !== this.length) {
      throw new Error(
        `wasm backend: write of ${values.constructor.name} of length ${values.length} to a buffer of ${this.dtype}, length ${this.length}. Give a ${expected.name} of that length`,
      );
    }
    // A copy: the owner may change the array before earlier runs are done.
    const copy = this.dtype === 'bool' ? Uint8Array.from(values, (value) => (value === 0 ? 0 : 1)) : values.slice();
    await this.home.inOrder(() => this.home.memory.write(address, copy));
  }

  async read(): Promise<HostArray> {
    const address = this.address('read');
    return this.home.inOrder(() => this.home.memory.read(this.dtype, address, this.length));
  }

  free(): void {
    if (this.#isFreed) this.address('free');
    this.#isFreed = true;
    this.discard();
  }

  /** Gives up the memory; the owner may still free the handle. */
  discard(): void {
    if (!this.#isDiscarded) this.home.freed(this, this.#address);
    this.#isDiscarded = true;
  }
}
