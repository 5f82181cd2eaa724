import type { Plan } from '../kernel/plan.ts';
import { bytesPerElement, type DType, type HostArray, hostArray } from '../types/dtype.ts';

const ALIGNMENT = 8;

const align = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** Where a plan's temporaries lie in the arena. */
export interface Layout {
  /** Byte offset of each value; -1 for those that are not temporaries. */
  readonly offsets: readonly number[];
  readonly bytes: number;
}

/** Places temporaries: one place a slot, and places of their own for those without. */
export function layOut({ values, slots }: Plan): Layout {
  const sizes = [...slots];
  for (const { role, slot, dtype, length } of values) {
    if (role === 'temporary' && slot !== undefined) {
      sizes[slot] = Math.max(sizes[slot] ?? 0, length * bytesPerElement(dtype));
    }
  }
  let bytes = 0;
  const starts = sizes.map((size) => {
    const start = bytes;
    bytes += align(size);
    return start;
  });
  const offsets = values.map(({ role, slot, dtype, length }) => {
    if (role !== 'temporary') return -1;
    if (slot !== undefined) return starts[slot] as number;
    const start = bytes;
    bytes += align(length * bytesPerElement(dtype));
    return start;
  });
  return { offsets, bytes };
}

/** The memory of temporaries, shared by all plans of a backend: as large as the largest of them. */
export class Arena {
  #buffer = new ArrayBuffer(0);
  readonly #layouts = new Set<Layout>();

  get bytes(): number {
    return this.#buffer.byteLength;
  }

  /** Bytes that the arena would have with `layout` too. */
  bytesWith(layout: Layout): number {
    return Math.max(this.bytes, layout.bytes);
  }

  /** The memory, made larger if `layout` needs that. */
  reserve(layout: Layout): ArrayBuffer {
    this.#layouts.add(layout);
    if (layout.bytes > this.bytes) this.#buffer = new ArrayBuffer(layout.bytes);
    return this.#buffer;
  }

  /** `layout` is no longer used; memory that only it needed is given up. */
  release(layout: Layout): void {
    this.#layouts.delete(layout);
    const largest = Math.max(0, ...[...this.#layouts].map(({ bytes }) => bytes));
    if (largest < this.bytes) this.#buffer = new ArrayBuffer(largest);
  }

  /** Fills the memory with NaN, to show up reads of what nothing wrote. */
  poison(): void {
    new Uint8Array(this.#buffer).fill(0xff);
  }
}

/** A typed array on `length` elements of the arena. */
export function viewOf(buffer: ArrayBuffer, offset: number, dtype: DType, length: number): HostArray {
  type View = new (buffer: ArrayBuffer, offset: number, length: number) => HostArray;
  return new (hostArray(dtype, 0).constructor as View)(buffer, offset, length);
}
