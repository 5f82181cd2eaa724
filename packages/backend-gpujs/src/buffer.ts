import { type DeviceBuffer, type DType, type HostArray, hostArray } from '@evenkeel/tensor';
import type { DeviceArray } from './storage/storage.ts';

/** What a buffer needs of its backend. */
export interface BufferHome {
  writeBuffer(target: GpujsBuffer, values: HostArray): Promise<void>;
  readBuffer(source: GpujsBuffer): Promise<HostArray>;
  freed(buffer: GpujsBuffer): void;
}

/** A buffer of the user's. Each result is an array of its own: `handle` is exchanged by every write. None is zeros. */
export class GpujsBuffer implements DeviceBuffer {
  readonly dtype: DType;
  readonly length: number;
  readonly home: BufferHome;
  handle: DeviceArray | undefined;
  #isFreed = false;
  #isDiscarded = false;

  constructor(dtype: DType, length: number, home: BufferHome) {
    this.dtype = dtype;
    this.length = length;
    this.home = home;
  }

  /** @throws when the buffer is freed. */
  check(use: string): void {
    if (!this.#isFreed && !this.#isDiscarded) return;
    throw new Error(
      `gpujs backend: ${use} of a freed buffer, ${this.dtype} of length ${this.length}. Keep it until its last use is given`,
    );
  }

  async write(values: HostArray): Promise<void> {
    this.check('write');
    const expected = hostArray(this.dtype, 0).constructor;
    if (values.constructor !== expected || values.length !== this.length) {
      throw new Error(
        `gpujs backend: write of ${values.constructor.name} of length ${values.length} to a buffer of ${this.dtype}, length ${this.length}. Give a ${expected.name} of that length`,
      );
    }
    await this.home.writeBuffer(this, values.slice());
  }

  async read(): Promise<HostArray> {
    this.check('read');
    return this.home.readBuffer(this);
  }

  free(): void {
    if (this.#isFreed) this.check('free');
    this.#isFreed = true;
    this.discard();
  }

  /** Gives up what it holds; the owner may still free the handle. */
  discard(): void {
    if (!this.#isDiscarded) this.home.freed(this);
    this.#isDiscarded = true;
  }
}
