/** Times of a run's steps, by the device's own clock. */
export class Timestamps {
  readonly #set: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  readonly #readable: GPUBuffer;
  readonly #steps: number;

  constructor(device: GPUDevice, steps: number) {
    const size = 16 * Math.max(1, steps);
    this.#steps = steps;
    this.#set = device.createQuerySet({ type: 'timestamp', count: 2 * Math.max(1, steps) });
    this.#resolved = device.createBuffer({ size, usage: 0x200 | 0x04 }); // QUERY_RESOLVE, COPY_SRC
    this.#readable = device.createBuffer({ size, usage: 0x01 | 0x08 }); // MAP_READ, COPY_DST
  }

  /** What a compute pass is given to be measured. */
  around(step: number): GPUComputePassTimestampWrites {
    return { querySet: this.#set, beginningOfPassWriteIndex: 2 * step, endOfPassWriteIndex: 2 * step + 1 };
  }

  /** To be recorded after all passes. */
  resolve(encoder: GPUCommandEncoder): void {
    encoder.resolveQuerySet(this.#set, 0, 2 * this.#steps, this.#resolved, 0);
    encoder.copyBufferToBuffer(this.#resolved, 0, this.#readable, 0, 16 * this.#steps);
  }

  /** Milliseconds of each step, once the work is done. */
  async read(): Promise<number[]> {
    await this.#readable.mapAsync(1); // READ
    const ticks = new BigUint64Array(this.#readable.getMappedRange());
    const times = Array.from({ length: this.#steps }, (_, step) => {
      const [begin, end] = [ticks[2 * step] as bigint, ticks[2 * step + 1] as bigint];
      return Math.max(0, Number(end - begin) / 1e6);
    });
    this.#readable.unmap();
    return times;
  }

  destroy(): void {
    this.#set.destroy();
    this.#resolved.destroy();
    this.#readable.destroy();
  }
}
