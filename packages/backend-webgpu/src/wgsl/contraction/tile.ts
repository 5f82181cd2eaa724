import type { Contraction } from '@evenkeel/tensor/kernel';
import type { DeviceTraits } from '../device-traits.ts';
import { count } from '../row.ts';

/** How a contraction is cut: a workgroup makes `m` x `n` outputs, a thread `rows` x `columns` of them, `k` terms at a time. */
export interface Tile {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly rows: number;
  readonly columns: number;
}

/** Sizes of a contraction's four lists of axes. */
export interface Sizes {
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** Tiles with the share of a card's peak that they reach where they fit; all give the same bits. */
const tiles: readonly (Tile & { readonly efficiency: number })[] = [
  { m: 128, n: 128, k: 16, rows: 8, columns: 8, efficiency: 1 },
  { m: 64, n: 64, k: 16, rows: 4, columns: 4, efficiency: 0.7 },
  { m: 32, n: 32, k: 16, rows: 4, columns: 4, efficiency: 0.5 },
  { m: 128, n: 16, k: 16, rows: 4, columns: 4, efficiency: 0.4 },
  { m: 16, n: 128, k: 16, rows: 4, columns: 4, efficiency: 0.4 },
];

/** Workgroups that keep a card busy. */
const BUSY = 128;
/** Terms that a workgroup has at least, where sums are split among several. */
const SPLIT_AT_LEAST = 256;
const FEWEST_OUTPUTS = 256;

export function sizesOf({ batch, m, n, k }: Contraction): Sizes {
  return { batch: count(batch), m: count(m), n: count(n), k: count(k) };
}

export function threadsOf({ m, n, rows, columns }: Tile): number {
  return (m / rows) * (n / columns);
}

export function groupsOf({ batch, m, n }: Sizes, tile: Tile): number {
  return batch * Math.ceil(m / tile.m) * Math.ceil(n / tile.n);
}

/** The tile for a contraction; none where it is too small for tiles. */
export function chooseTile(sizes: Sizes, { workgroupThreads, workgroupBytes }: DeviceTraits): Tile | undefined {
  const { batch, m, n, k } = sizes;
  if (k < 8 || m * n < FEWEST_OUTPUTS || batch * m * n * k < 2 ** 14) return undefined;
  const fitting = tiles.filter((tile) => {
    return threadsOf(tile) <= workgroupThreads && 4 * tile.k * (tile.m + tile.n) <= workgroupBytes;
  });
  const time = (tile: (typeof tiles)[number]): number => {
    const groups = groupsOf(sizes, tile);
    return (
      (Math.max(1, (groups * splitsOf(sizes, tile)) / BUSY) * tile.m * tile.n) / tile.efficiency / splitsOf(sizes, tile)
    );
  };
  return [...fitting].sort((a, b) => time(a) - time(b))[0];
}

/**
 * How many workgroups share the terms of a tile's sums, where there are fewer tiles than keep a card busy: the gradients of
 * weights have few outputs and many terms. It changes bits, so it depends on sizes alone.
 */
export function splitsOf(sizes: Sizes, tile: Tile): number {
  const groups = groupsOf(sizes, tile);
  const most = Math.floor(sizes.k / SPLIT_AT_LEAST);
  return Math.max(1, Math.min(most, Math.floor(BUSY / groups), 64));
}
