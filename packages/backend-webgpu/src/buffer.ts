import { type DeviceBuffer, type DType, type HostArray, hostArray } from '@evenkeel/tensor';
import { storedBytes, toStored } from './stored-values.ts';

/** What a buffer needs of its backend. */
export interface BufferHome {
  writeBuffer(target: GPUBuffer, bytes: ArrayBuffer): Promise<void>;
  readBuffer(source: WebgpuBuffer): Promise<HostArray>;
  freed(buffer: WebgpuBuffer, memory: GPUBuffer): void;
  /** A disposed backend has freed all of its buffers; their owners may come later, or the collector for them. */
  readonly isDisposed: boolean;
}

/** A buffer on the device. */
export class WebgpuBuffer implements DeviceBuffer {
  readonly dtype: DType;
  readonly length: number;
  readonly home: BufferHome;
  readonly bytes: number;
  #memory: GPUBuffer | undefined;

  constructor(dtype: DType, length: number, memory: GPUBuffer, home: BufferHome) {
    this.dtype = dtype;
    this.length = length;
    this.home = home;
    this.bytes = storedBytes(dtype, length);
    this.#memory = memory;
  }

  /** @throws when the buffer is freed. */
  memory(use: string): GPUBuffer {
    if (!this.#memory) {
      throw new Error(
        `webgpu backend: ${use} of a freed buffer, ${this.dtype} of length ${this.length}. Keep it until its last use is given`,
      );
    }
    return this.#memory;
  }

  async write(values: HostArray): Promise<void> {
    const memory = this.memory('write');
    const expected = hostArray(this.dtype, 0).constructor;
    if (values.constructor !== expected || values.length !== this.length) {
      throw new Error(
        `webgpu backend: write of ${values.constructor.name} of length ${values.length} to a buffer of ${this.dtype}, length ${this.length}. Give a ${expected.name} of that length`,
      );
    }
    await this.home.writeBuffer(memory, toStored(this.dtype, values));
  }

  async read(): Promise<HostArray> {
    this.memory('read');
    return this.home.readBuffer(this);
  }

  free(): void {
    if (this.#memory === undefined && this.home.isDisposed) return;
    const memory = this.memory('free');
    this.#memory = undefined;
    this.home.freed(this, memory);
  }
}
