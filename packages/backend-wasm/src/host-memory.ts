/// <reference lib="dom" />
import type { DType, HostArray } from '@evenkeel/tensor';
import { hostArray } from '@evenkeel/tensor';
import { showBytes } from '@evenkeel/tensor/kernel';
import type { WorkerPool } from './worker-pool.ts';

const PAGE = 65_536;
/** One page less than 4 GiB, so that the end of the last buffer still is an i32. */
export const MEMORY_BYTES = 65_535 * PAGE;

/** A backend's memory as the host sees it. What is written and read happens in the order given. */
export interface HostMemory {
  /** Makes the memory reach to `end`; false where the machine has no more. */
  reach(end: number): boolean;
  write(at: number, values: HostArray): void | Promise<void>;
  /** A copy of what is there. */
  read(dtype: DType, at: number, length: number): HostArray | Promise<HostArray>;
}

/** How large a memory is at first and may become, in pages. */
export function pagesFor(limit: number): { initial: number; maximum: number } {
  return { initial: 1, maximum: Math.ceil(limit / PAGE) + 1 };
}

/** Memory that all threads have, this one too. */
export class SharedMemory implements HostMemory {
  readonly memory: WebAssembly.Memory;

  constructor(limit: number) {
    try {
      this.memory = new WebAssembly.Memory({ ...pagesFor(limit), shared: true });
    } catch (cause) {
      throw new Error(
        `wasm: the machine does not reserve addresses for ${showBytes(limit)} of shared memory (${String(cause)}). Give a smaller memoryBytes`,
        { cause },
      );
    }
  }

  reach(end: number): boolean {
    const missing = end - this.memory.buffer.byteLength;
    if (missing <= 0) return true;
    try {
      this.memory.grow(Math.ceil(missing / PAGE));
      return true;
    } catch {
      return false;
    }
  }

  write(at: number, values: HostArray): void {
    const { buffer } = this.memory;
    new Uint8Array(buffer, at, values.byteLength).set(
      new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    );
  }

  read(dtype: DType, at: number, length: number): HostArray {
    const values = hostArray(dtype, length);
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    bytes.set(new Uint8Array(this.memory.buffer, at, values.byteLength));
    return values;
  }
}

/** Memory that the one worker has alone. Where it cannot grow, the worker says so when it is next asked for something. */
export class WorkerMemory implements HostMemory {
  readonly #pool: WorkerPool;
  #end = 0;

  constructor(pool: WorkerPool) {
    this.#pool = pool;
  }

  reach(end: number): boolean {
    if (end > this.#end) {
      this.#end = end;
      this.#pool.tell({ kind: 'grow', bytes: end });
    }
    return true;
  }

  async write(at: number, values: HostArray): Promise<void> {
    await this.#pool.ask({ kind: 'write', at, values });
  }

  async read(dtype: DType, at: number, length: number): Promise<HostArray> {
    const empty = hostArray(dtype, 0);
    const { bytes } = await this.#pool.ask({ kind: 'read', at, length: length * empty.BYTES_PER_ELEMENT });
    const View = empty.constructor as new (buffer: ArrayBufferLike | undefined) => HostArray;
    return new View(bytes);
  }
}
