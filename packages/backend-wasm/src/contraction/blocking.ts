import type { Contraction, Expr } from '@evenkeel/tensor/kernel';
import { LANES } from '../indices.ts';
import { orderAxes } from './axis-order.ts';
import { isSequence } from './sequence.ts';
import type { Site } from './site.ts';
import type { Tile } from './tile.ts';

/** Largest number of k that panels hold at a time: a panel of columns stays in the nearest cache. */
export const DEPTH = 256;

const BLOCK_ROWS = 96;
const BLOCK_COLUMNS = 512;
/** Multiply-adds that a chunk should have, so that taking it costs little. */
export const CHUNK_WORK = 100_000;
/** Chunks for each thread, so that none waits long for the last. */
export const CHUNKS = 4;
/** Least k of a part, and parts that all blocks together should have: sums with few blocks and a long k are split. */
const PART_DEPTH = 512;
const PARTS = 16;
const MOST_PART_BYTES = 2 ** 26;

/** One group of a contraction's axes. */
export interface Group {
  /** Numbers of its axes, and their sizes, in the order in which they are gone through. */
  readonly axes: readonly number[];
  readonly sizes: readonly number[];
  readonly count: number;
}

/** One side of a contraction: what becomes rows or columns of tiles. */
export interface Side extends Group {
  readonly operand: 'a' | 'b';
  /** Places in a tile, and elements that a chunk has. */
  readonly width: number;
  readonly block: number;
  readonly blocks: number;
}

export interface Blocking {
  readonly batch: Group;
  readonly rows: Side;
  readonly columns: Side;
  readonly k: Group;
  readonly depth: number;
  /** Parts of k whose sums are added at the end, and their size, a multiple of `depth` if there are several. */
  readonly parts: number;
  readonly partDepth: number;
  /** Batches of a chunk; more than one only where a chunk has all rows and columns of each. */
  readonly batches: number;
  /** Chunks of one part. */
  readonly chunks: number;
}

const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);
const roundUp = (count: number, to: number): number => Math.ceil(count / to) * to;

/** How a contraction is cut. Of this only the parts of k change bits, and they depend on its shape alone. */
export function blockingOf(kernel: Contraction, tile: Tile, threads: number, probe: Site): Blocking {
  let axes = 0;
  const group = (sizes: readonly number[], exprs: readonly Expr[]): Group => {
    const numbers = sizes.map((_, i) => axes + i);
    axes += sizes.length;
    return orderAxes(probe, { axes: numbers, sizes, count: product(sizes) }, exprs);
  };
  const batch = group(kernel.batch, []);
  const m = group(kernel.m, [kernel.a]);
  const n = group(kernel.n, [kernel.b]);
  const k = group(kernel.k, [kernel.a, kernel.b]);
  const swap = isBetterTurned(kernel, probe, tile, m, n);
  const [rowGroup, columnGroup] = swap ? [n, m] : [m, n];
  const wanted = CHUNKS * threads;

  // Blocks start at whole tiles and at whole vectors.
  const unit = tile.rows % LANES === 0 ? tile.rows : LANES * tile.rows;
  let blockRows = roundUp(BLOCK_ROWS, unit);
  if (batch.count >= wanted) blockRows = Math.min(roundUp(2.5 * BLOCK_ROWS, unit), roundUp(rowGroup.count, unit));
  const blockColumns = Math.min(roundUp(columnGroup.count, tile.columns), BLOCK_COLUMNS);
  const columnBlocks = Math.ceil(columnGroup.count / blockColumns);
  const { parts, partDepth } = partsOf(batch, rowGroup, columnGroup, k);
  const chunksWith = (rows: number): number => parts * batch.count * columnBlocks * Math.ceil(rowGroup.count / rows);
  const workWith = (rows: number): number => rows * blockColumns * partDepth;
  while (blockRows >= 48 && chunksWith(blockRows) < wanted && workWith(blockRows) > 4 * CHUNK_WORK) {
    blockRows = roundUp(blockRows / 2, unit);
  }
  const side = (group: Group, operand: 'a' | 'b', width: number, block: number): Side => ({
    ...group,
    operand,
    width,
    block,
    blocks: Math.ceil(group.count / block),
  });
  const rows = side(rowGroup, swap ? 'b' : 'a', tile.rows, blockRows);
  const columns = side(columnGroup, swap ? 'a' : 'b', tile.columns, blockColumns);
  const perBatch = rows.blocks * columns.blocks;
  const work = Math.max(1, rows.count * columns.count * k.count);
  const most = Math.max(1, Math.floor(batch.count / wanted));
  const batches = perBatch === 1 && parts === 1 ? Math.min(most, Math.ceil(CHUNK_WORK / work)) : 1;
  const chunks = Math.ceil(batch.count / batches) * perBatch;
  const depth = Math.min(DEPTH, Math.max(1, k.count));
  return { batch, rows, columns, k, depth, parts, partDepth, batches, chunks };
}

/** Whether n should become rows: where m fills tiles much better, or else where results are neighbours along m. */
function isBetterTurned(kernel: Contraction, probe: Site, tile: Tile, m: Group, n: Group): boolean {
  const places = (rows: Group, columns: Group): number =>
    roundUp(rows.count, Math.min(4, tile.rows)) * roundUp(columns.count, tile.columns);
  const [straight, turned] = [places(m, n), places(n, m)];
  if (Math.max(straight, turned) > 1.1 * Math.min(straight, turned)) return turned < straight;
  const indices = kernel.stores.map(({ index }) => index);
  const along = (group: Group): boolean => indices.every((index) => isSequence(probe, group, index));
  return !along(n) && along(m);
}

/** Parts of k, by shape alone. */
function partsOf(batch: Group, rows: Group, columns: Group, k: Group): Pick<Blocking, 'parts' | 'partDepth'> {
  const whole = { parts: 1, partDepth: k.count };
  const sums = batch.count * rows.count * columns.count;
  if (sums === 0) return whole;
  const blocks = Math.ceil(sums / (BLOCK_ROWS * BLOCK_COLUMNS));
  const most = Math.min(Math.floor(k.count / PART_DEPTH), Math.floor(MOST_PART_BYTES / (4 * sums)));
  const parts = Math.min(most, Math.ceil(PARTS / blocks));
  if (parts < 2) return whole;
  const partDepth = roundUp(k.count / parts, DEPTH);
  return { parts: Math.ceil(k.count / partDepth), partDepth };
}
