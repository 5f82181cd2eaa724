/** Something that can be measured for a while. */
export interface Measurable {
  /** Milliseconds of single runs. */
  measure(milliseconds: number): Promise<readonly number[]>;
}

/** How long is measured. */
export interface Rounds {
  readonly rounds: number;
  /** Milliseconds of one implementation's turn; a run is always finished. */
  readonly slice: number;
  /** Milliseconds after which one that is slow gets no more turns. */
  readonly longest: number;
}

/**
 * Samples of each, taken in turns: what disturbs the machine for a while disturbs all of them. The order turns round from
 * round to round.
 */
export async function interleave<T extends Measurable>(
  measurables: readonly T[],
  { rounds, slice, longest }: Rounds,
  now: () => number = () => performance.now(),
): Promise<Map<T, number[]>> {
  const samples = new Map<T, number[]>(measurables.map((one) => [one, []]));
  const spent = new Map<T, number>();
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? measurables : [...measurables].reverse();
    for (const one of order) {
      if ((spent.get(one) ?? 0) > longest) continue;
      const started = now();
      (samples.get(one) as number[]).push(...(await one.measure(slice)));
      spent.set(one, (spent.get(one) ?? 0) + now() - started);
    }
  }
  return samples;
}
