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

/** Gives temporaries that are never alive at the same time the same slot: best fit, growing where nothing fits. */
export function assignSlots(lifetimes: readonly Lifetime[]): Slots {
  const slotOf = new Array<number>(lifetimes.length);
  const bytes: number[] = [];
  const busyUntil: number[] = [];
  const byStart = lifetimes.map((_, i) => i).sort((a, b) => (lifetimes[a] as Lifetime).first - (lifetimes[b] as Lifetime).first);
  for (const i of byStart) {
    const { first, last, bytes: needed } = lifetimes[i] as Lifetime;
    let best = -1;
    for (let slot = 0; slot < bytes.length; slot++) {
      if ((busyUntil[slot] as number) >= first) continue;
      if (best < 0 || fit(bytes[slot] as number, needed) < fit(bytes[best] as number, needed)) best = slot;
    }
    if (best < 0) best = bytes.push(0) - 1;
    bytes[best] = Math.max(bytes[best] as number, needed);
    busyUntil[best] = last;
    slotOf[i] = best;
  }
  return { slotOf, bytes };
}

/** Waste of putting `needed` bytes into a slot: room left over, or (worse) room to add. */
function fit(size: number, needed: number): number {
  return size >= needed ? size - needed : 2 * (needed - size);
}
