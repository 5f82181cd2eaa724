import type { Contraction } from '@evenkeel/tensor/kernel';
import { count } from '../axes.ts';
import type { DeviceTraits } from '../device-traits.ts';

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

/** All tiles there are. They differ in speed alone: each sum is taken in the same order. */
export const tiles: readonly Tile[] = [
  { m: 128, n: 128, k: 16, rows: 8, columns: 8 },
  { m: 128, n: 64, k: 16, rows: 8, columns: 8 },
  { m: 64, n: 128, k: 16, rows: 8, columns: 8 },
  { m: 64, n: 64, k: 16, rows: 8, columns: 8 },
  { m: 64, n: 64, k: 16, rows: 4, columns: 4 },
  { m: 32, n: 32, k: 16, rows: 4, columns: 4 },
  { m: 128, n: 16, k: 16, rows: 4, columns: 4 },
  { m: 16, n: 128, k: 16, rows: 4, columns: 4 },
];

/** The speed of each tile where it fits, relative to the fastest: a guess, for cards that were not measured. */
export const usualSpeeds: readonly number[] = [1, 0.8, 0.8, 0.7, 0.65, 0.5, 0.4, 0.4];

/** Workgroups that keep a card busy, and those that sums are split for: parts cost memory, so not for ever more. */
const BUSY = 256;
const SPLIT_UP_TO = 384;
/** Terms that a workgroup has at least, where sums are split among several. */
const SPLIT_AT_LEAST = 256;
const FEWEST_OUTPUTS = 256;
/** Outputs of a thread, where each is a part of the program that takes its time to compile. */
const SMALL_BLOCK = 16;

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
export function chooseTile(sizes: Sizes, traits: DeviceTraits): Tile | undefined {
  const { batch, m, n, k } = sizes;
  if (k < 8 || m * n < FEWEST_OUTPUTS || batch * m * n * k < 2 ** 14) return undefined;
  const speeds = traits.tileSpeeds ?? usualSpeeds;
  const splits = splitsOf(sizes);
  let best: { tile: Tile; time: number } | undefined;
  tiles.forEach((tile, i) => {
    if (!fits(tile, traits)) return;
    const waves = Math.max(1, (groupsOf(sizes, tile) * splits) / BUSY);
    const time = (waves * tile.m * tile.n) / (speeds[i] as number);
    if (!best || time < best.time) best = { tile, time };
  });
  return best?.tile;
}

/** Whether the device has the threads and the shared memory that a tile takes, and compiles its program in time. */
export function fits(tile: Tile, { workgroupThreads, workgroupBytes, compilesSlowly }: DeviceTraits): boolean {
  if (compilesSlowly && tile.rows * tile.columns > SMALL_BLOCK) return false;
  return threadsOf(tile) <= workgroupThreads && 4 * tile.k * (tile.m + tile.n) <= workgroupBytes;
}

/**
 * How many workgroups share the terms of a tile's sums, where outputs are too few to keep a card busy: the gradients of
 * weights have few outputs and many terms. It changes bits, so it depends on sizes alone.
 */
export function splitsOf({ batch, m, n, k }: Sizes): number {
  const squares = batch * Math.ceil(m / 64) * Math.ceil(n / 64);
  return Math.max(1, Math.min(Math.floor(k / SPLIT_AT_LEAST), Math.floor(SPLIT_UP_TO / squares), 64));
}
