/** A temporary's place in time and its size. */
export interface Lifetime {
  readonly first: number;
  readonly last: number;
  readonly bytes: number;
}

/** Slot of each temporary, and the bytes of each slot. */
export interface Slots {
  readonly slotOf: readonly number[];
  readonly bytes: readonly number[];
}

/**
 * Gives temporaries that are never alive at the same time the same slot. The largest choose first, so that a slot never
 * grows and small values live in the gaps of large ones; each takes the tightest slot that is free for all its life.
 */
export function assignSlots(lifetimes: readonly Lifetime[]): Slots {
  const slotOf = new Array<number>(lifetimes.length);
  const bytes: number[] = [];
  const tenants: Lifetime[][] = [];
  const largestFirst = lifetimes
    .map((lifetime, i) => ({ lifetime, i }))
    .sort((a, b) => b.lifetime.bytes - a.lifetime.bytes || a.lifetime.first - b.lifetime.first);
  for (const { lifetime, i } of largestFirst) {
    let slot = tenants.findLastIndex((others) => !others.some((other) => overlap(other, lifetime)));
    if (slot < 0) {
      slot = bytes.push(lifetime.bytes) - 1;
      tenants.push([]);
    }
    tenants[slot]?.push(lifetime);
    slotOf[i] = slot;
  }
  return { slotOf, bytes };
}

function overlap(a: Lifetime, b: Lifetime): boolean {
  return a.first <= b.last && b.first <= a.last;
}
