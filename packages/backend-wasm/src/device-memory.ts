/// <reference lib="dom" />
import type { DType, HostArray } from '@evenkeel/tensor';
import { hostArray } from '@evenkeel/tensor';

const ALIGNMENT = 64;
const PAGE = 65_536;
/** Addresses below are never given out. */
const START = 1024;
export const MEMORY_BYTES = 65_536 * PAGE - PAGE;

interface Hole {
  at: number;
  bytes: number;
}

/** The one memory of a backend, grown as it fills, and which parts of it are in use. */
export class DeviceMemory {
  readonly memory: WebAssembly.Memory;
  readonly limit: number;
  /** Free parts below the end, by address; no two of them touch. */
  readonly #holes: Hole[] = [];
  #end = START;
  #used = 0;

  constructor({ shared, limit = MEMORY_BYTES }: { shared: boolean; limit?: number }) {
    this.limit = Math.min(limit, MEMORY_BYTES);
    this.memory = new WebAssembly.Memory({ initial: 16, maximum: MEMORY_BYTES / PAGE + 1, shared });
  }

  /** Bytes in use. */
  get used(): number {
    return this.#used;
  }

  /** Address of `bytes` new bytes, a multiple of 64; undefined where there is no room. */
  allocate(bytes: number): number | undefined {
    const size = sizeOf(bytes);
    const number = this.#holes.findIndex((hole) => hole.bytes >= size);
    const hole = this.#holes[number];
    if (hole) {
      const { at } = hole;
      hole.at += size;
      hole.bytes -= size;
      if (hole.bytes === 0) this.#holes.splice(number, 1);
      this.#used += size;
      return at;
    }
    if (this.#end + size > this.limit || !this.#grow(this.#end + size)) return undefined;
    const at = this.#end;
    this.#end += size;
    this.#used += size;
    return at;
  }

  free(at: number, bytes: number): void {
    const size = sizeOf(bytes);
    this.#used -= size;
    let number = this.#holes.findIndex((hole) => hole.at > at);
    if (number < 0) number = this.#holes.length;
    this.#holes.splice(number, 0, { at, bytes: size });
    this.#join(number);
    this.#join(number - 1);
    const last = this.#holes.at(-1);
    if (last && last.at + last.bytes === this.#end) {
      this.#end = last.at;
      this.#holes.pop();
    }
  }

  /** A typed array on the memory, valid until it grows. */
  view<D extends DType>(dtype: D, at: number, length: number): HostArray<D> {
    type View = new (buffer: ArrayBufferLike, offset: number, length: number) => HostArray<D>;
    return new (hostArray(dtype, 0).constructor as View)(this.memory.buffer, at, length);
  }

  /** Makes one hole of hole `number` and the next if they touch. */
  #join(number: number): void {
    const [hole, next] = [this.#holes[number], this.#holes[number + 1]];
    if (!hole || !next || hole.at + hole.bytes !== next.at) return;
    hole.bytes += next.bytes;
    this.#holes.splice(number + 1, 1);
  }

  #grow(end: number): boolean {
    // Vectors are read up to 16 bytes behind the last element.
    const missing = end + ALIGNMENT - this.memory.buffer.byteLength;
    if (missing <= 0) return true;
    try {
      this.memory.grow(Math.ceil(missing / PAGE));
      return true;
    } catch {
      return false;
    }
  }
}

function sizeOf(bytes: number): number {
  return Math.max(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);
}
