import { bytesPerElement } from '@evenkeel/tensor';
import type { Plan, ScratchItem } from '@evenkeel/tensor/kernel';
import { SYNC_BYTES } from './barrier.ts';
import type { PlanModule } from './plan-module.ts';

const align = (bytes: number): number => Math.ceil(bytes / 64) * 64;

/** Where things lie in a run's scratch memory, in bytes from its start. */
export interface ScratchLayout {
  /** Each value that is a temporary; -1 for others. */
  readonly values: readonly number[];
  readonly own: number;
  /** Bytes between two threads' own memory. */
  readonly ownStride: number;
  readonly shared: number;
  readonly bytes: number;
  /**
   * Written before each run, as one, while the run before may still be under way: where threads meet, counters, tables, in
   * bytes from the start of what is one of two places.
   */
  readonly header: {
    readonly sync: number;
    readonly counters: number;
    readonly tables: number;
    readonly bytes: number;
  };
  /** What all of it is for. */
  readonly items: readonly ScratchItem[];
}

/** Places temporaries (one place a slot, and places of their own for those without) and what threads need besides. */
export function layOut({ values, slots }: Plan, module: PlanModule, threads: number): ScratchLayout {
  let bytes = 0;
  const place = (size: number): number => {
    const start = bytes;
    bytes += align(size);
    return start;
  };
  const sizes = [...slots];
  for (const { role, slot, dtype, length } of values) {
    if (role === 'temporary' && slot !== undefined) {
      sizes[slot] = Math.max(sizes[slot] ?? 0, length * bytesPerElement(dtype));
    }
  }
  const starts = sizes.map((size) => place(size));
  const temporaries = values.map(({ role, slot, dtype, length }) => {
    if (role !== 'temporary') return -1;
    return slot === undefined ? place(length * bytesPerElement(dtype)) : (starts[slot] as number);
  });
  const temporaryBytes = bytes;
  const ownStride = align(module.thread.bytes);
  const own = place(ownStride * threads);
  const shared = place(module.shared.bytes);
  const sharedBytes = bytes - shared;
  const counters = align(SYNC_BYTES);
  const tables = counters + align(4 * module.counters);
  // Whoever reads a whole vector behind the last element stays inside.
  const header = { sync: 0, counters, tables, bytes: tables + align(module.tableBytes) + 64 };
  const items = [
    { what: 'temporaries', bytes: temporaryBytes },
    { what: `for each of ${threads} threads ${module.thread.what}`, bytes: ownStride * threads },
    { what: module.shared.what, bytes: sharedBytes },
    { what: 'tables of the plan', bytes: 2 * header.bytes },
  ];
  return {
    values: temporaries,
    own,
    ownStride,
    shared,
    bytes,
    header,
    items: items.filter((item) => item.bytes > 0),
  };
}
