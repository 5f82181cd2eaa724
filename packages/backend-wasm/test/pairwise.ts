type Factors = Readonly<Record<string, readonly unknown[]>>;
export type Row<F extends Factors> = { readonly [Name in keyof F]: F[Name][number] };

/** Every combination of the factors' values that is possible. */
export function combinations<F extends Factors>(factors: F, isPossible: (row: Row<F>) => boolean): Row<F>[] {
  let rows: Record<string, unknown>[] = [{}];
  for (const [name, values] of Object.entries(factors)) {
    rows = rows.flatMap((row) => values.map((value) => ({ ...row, [name]: value })));
  }
  return (rows as Row<F>[]).filter(isPossible);
}

/** The pairs of two factors' values that a row has. */
export function pairsOf(row: Readonly<Record<string, unknown>>): string[] {
  const each = Object.entries(row).map(([name, value]) => `${name} ${value}`);
  return each.flatMap((first, i) => each.slice(i + 1).map((second) => `${first}, ${second}`));
}

/** Few of the possible combinations, in which every possible pair of two factors' values occurs. */
export function pairwise<F extends Factors>(factors: F, isPossible: (row: Row<F>) => boolean): Row<F>[] {
  const all = combinations(factors, isPossible);
  const missing = new Set(all.flatMap(pairsOf));
  const chosen: Row<F>[] = [];
  const news = (row: Row<F>): number => pairsOf(row).filter((pair) => missing.has(pair)).length;
  while (missing.size > 0) {
    const best = all.reduce((a, b) => (news(b) > news(a) ? b : a));
    chosen.push(best);
    for (const pair of pairsOf(best)) missing.delete(pair);
  }
  return chosen;
}
