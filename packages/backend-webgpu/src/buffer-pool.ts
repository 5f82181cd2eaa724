import { type DeviceError, watchErrors } from './error-scopes.ts';

const USAGE = 0x80 | 0x04 | 0x08; // STORAGE, COPY_SRC, COPY_DST: a page without WebGPU has no GPUBufferUsage

/** Memory on the device, taken and given back many times a second: what is free is kept by its size. */
export class BufferPool {
  readonly #device: GPUDevice;
  readonly #free = new Map<number, GPUBuffer[]>();
  readonly #failed: (bytes: number, error: DeviceError) => void;
  /** Most bytes that are kept free. */
  readonly #keep: number;
  /** Buffers that the device had no memory for. */
  readonly #invalid = new WeakSet<GPUBuffer>();
  #freeBytes = 0;

  constructor(device: GPUDevice, keep: number, failed: (bytes: number, error: DeviceError) => void) {
    this.#device = device;
    this.#keep = keep;
    this.#failed = failed;
  }

  /** Buffers that wait to be used again, and their bytes. */
  get idle(): { readonly count: number; readonly bytes: number } {
    let count = 0;
    for (const list of this.#free.values()) count += list.length;
    return { count, bytes: this.#freeBytes };
  }

  /** A buffer of at least `bytes`. What it holds is of no account. */
  take(bytes: number): GPUBuffer {
    const size = roundUp(bytes);
    const known = this.#free.get(size)?.pop();
    if (known) {
      this.#freeBytes -= size;
      return known;
    }
    const close = watchErrors(this.#device);
    const buffer = this.#device.createBuffer({ size, usage: USAGE });
    void close().then((error) => {
      if (!error) return;
      this.#invalid.add(buffer);
      this.#failed(size, error);
    });
    return buffer;
  }

  give(buffer: GPUBuffer): void {
    const { size } = buffer;
    if (size > this.#keep || this.#invalid.has(buffer)) {
      buffer.destroy();
      return;
    }
    const list = this.#free.get(size) ?? [];
    list.push(buffer);
    // The size that was given back last comes last, and sizes that nobody wants any more make room for it.
    this.#free.delete(size);
    this.#free.set(size, list);
    this.#freeBytes += size;
    for (const [oldest, buffers] of this.#free) {
      while (this.#freeBytes > this.#keep && buffers.length > 0) {
        buffers.pop()?.destroy();
        this.#freeBytes -= oldest;
      }
      if (buffers.length === 0) this.#free.delete(oldest);
      if (this.#freeBytes <= this.#keep) break;
    }
  }

  clear(): void {
    for (const list of this.#free.values()) for (const buffer of list) buffer.destroy();
    this.#free.clear();
    this.#freeBytes = 0;
  }
}

/** Sizes in steps of an eighth, so that buffers of nearly the same size are used again. */
function roundUp(bytes: number): number {
  if (bytes <= 256) return 256;
  const step = Math.max(256, 2 ** Math.floor(Math.log2(bytes)) / 8);
  return Math.ceil(bytes / step) * step;
}
