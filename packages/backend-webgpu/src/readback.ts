import type { DType, HostArray } from '@evenkeel/tensor';
import { fromStored, storedBytes } from './stored-values.ts';

/** Copies from the device, through buffers that the host can see and that are used again. */
export class Readback {
  readonly #device: GPUDevice;
  readonly #idle: GPUBuffer[] = [];

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** The values as they are after all that was submitted before this call. */
  async read(source: GPUBuffer, dtype: DType, length: number): Promise<HostArray> {
    const bytes = storedBytes(dtype, length);
    const staging = this.#take(bytes);
    const encoder = this.#device.createCommandEncoder();
    encoder.copyBufferToBuffer(source, 0, staging, 0, bytes);
    this.#device.queue.submit([encoder.finish()]);
    await staging.mapAsync(1, 0, bytes); // READ
    const copy = staging.getMappedRange(0, bytes).slice(0);
    staging.unmap();
    this.#idle.push(staging);
    if (this.#idle.length > 4) this.#idle.shift()?.destroy();
    return fromStored(dtype, copy, length);
  }

  #take(bytes: number): GPUBuffer {
    const at = this.#idle.findIndex(({ size }) => size >= bytes && size <= 4 * Math.max(bytes, 1024));
    if (at >= 0) return this.#idle.splice(at, 1)[0] as GPUBuffer;
    const size = Math.ceil(bytes / 4096) * 4096;
    return this.#device.createBuffer({ size, usage: 0x01 | 0x08 }); // MAP_READ, COPY_DST
  }

  clear(): void {
    for (const staging of this.#idle.splice(0)) staging.destroy();
  }
}
