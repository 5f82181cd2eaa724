import type { Plan, ScratchItem } from '@evenkeel/tensor/kernel';
import type { BufferPool } from './buffer-pool.ts';
import { storedBytes } from './stored-values.ts';
import type { PrintedKernel } from './wgsl/printed-kernel.ts';

/** Memory that a plan needs beside inputs and outputs: places, of which every temporary and every kernel's scratch has one. */
export interface ScratchLayout {
  /** Bytes of each place. */
  readonly places: readonly number[];
  /** Place of each value; undefined for those that are no temporaries. */
  readonly ofValue: readonly (number | undefined)[];
  /** Place of the kernels' scratch memory `i`, which all kernels of the plan share. */
  readonly ofScratch: readonly number[];
  readonly bytes: number;
}

/** Places by slot; temporaries without one get their own. */
export function layOut(plan: Plan, kernels: readonly (PrintedKernel | undefined)[]): ScratchLayout {
  const places: number[] = plan.slots.map(() => 0);
  const ofValue = plan.values.map(({ role, slot, dtype, length }) => {
    if (role !== 'temporary') return undefined;
    const place = slot ?? places.length;
    places[place] = Math.max(places[place] ?? 0, storedBytes(dtype, length));
    return place;
  });
  const ofScratch: number[] = [];
  for (const kernel of kernels) {
    kernel?.scratch.forEach((bytes, i) => {
      ofScratch[i] ??= places.length;
      const place = ofScratch[i] as number;
      places[place] = Math.max(places[place] ?? 0, bytes);
    });
  }
  return { places, ofValue, ofScratch, bytes: places.reduce((sum, bytes) => sum + bytes, 0) };
}

/** What a plan's scratch memory is made of. */
export function scratchItems(plan: Plan, kernels: readonly (PrintedKernel | undefined)[]): ScratchItem[] {
  const { bytes } = layOut(plan, []);
  const items: ScratchItem[] = [{ what: 'temporaries', bytes }];
  const work = layOut(plan, kernels).bytes - bytes;
  items.push({ what: 'what kernels work in', bytes: work });
  return items.filter((item) => item.bytes > 0);
}

/** The scratch memory of all plans of a backend: runs happen one after the other, so they share it. */
export class ScratchArena {
  readonly #pool: BufferPool;
  readonly #layouts = new Set<ScratchLayout>();
  /** The largest first. */
  #memories: GPUBuffer[] = [];

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  get bytes(): number {
    return this.#memories.reduce((sum, { size }) => sum + size, 0);
  }

  /** Bytes that the arena would grow by for a plan. */
  missing({ places }: ScratchLayout): number {
    const wanted = [...places].sort((a, b) => b - a);
    return wanted.reduce((sum, bytes, i) => sum + Math.max(0, bytes - (this.#memories[i]?.size ?? 0)), 0);
  }

  /** A memory for each place. */
  reserve(layout: ScratchLayout): GPUBuffer[] {
    this.#layouts.add(layout);
    const order = layout.places
      .map((_, place) => place)
      .sort((a, b) => (layout.places[b] as number) - (layout.places[a] as number));
    const memories: GPUBuffer[] = [];
    order.forEach((place, i) => {
      const bytes = layout.places[place] as number;
      let memory = this.#memories[i];
      if (!memory || memory.size < bytes) {
        // Work that was submitted with the smaller one still has it.
        if (memory) this.#pool.give(memory);
        memory = this.#pool.take(bytes);
        this.#memories[i] = memory;
      }
      memories[place] = memory;
    });
    return memories;
  }

  /** `layout` is no longer used; memory beyond what others need is given up. */
  release(layout: ScratchLayout): void {
    this.#layouts.delete(layout);
    const most = Math.max(0, ...[...this.#layouts].map(({ places }) => places.length));
    for (const memory of this.#memories.splice(most)) this.#pool.give(memory);
  }

  clear(): void {
    for (const memory of this.#memories) memory.destroy();
    this.#memories = [];
  }
}
