import type { Contraction, Expr } from '@evenkeel/tensor/kernel';
import { orderAxes } from './axis-order.ts';
import { TILE_ROWS } from './micro-kernel.ts';
import type { Site } from './site.ts';

/** Largest number of k that panels hold at a time: a panel of columns stays in the nearest cache. */
export const DEPTH = 256;

const BLOCK_ROWS = 96;
const BLOCK_COLUMNS = 512;
/** Multiply-adds that a chunk should have, so that taking it costs little. */
const CHUNK_WORK = 100_000;
/** Chunks for each thread, so that none waits long for the last. */
const CHUNKS = 4;

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
  /** Batches of a chunk; more than one only where a chunk has all rows and columns of each. */
  readonly batches: number;
  readonly chunks: number;
}

const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);
const roundUp = (count: number, to: number): number => Math.ceil(count / to) * to;

/** How a contraction is cut. Nothing of this changes a result: each sum is taken in the order of k. */
export function blockingOf(kernel: Contraction, tileColumns: number, threads: number, probe: Site): Blocking {
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
  const places = (rows: Group, columns: Group): number =>
    roundUp(rows.count, TILE_ROWS) * roundUp(columns.count, tileColumns);
  const swap = places(n, m) < 0.9 * places(m, n);
  const [rowGroup, columnGroup] = swap ? [n, m] : [m, n];
  const wanted = CHUNKS * threads;

  let blockRows = batch.count >= wanted ? Math.min(2.5 * BLOCK_ROWS, roundUp(rowGroup.count, TILE_ROWS)) : BLOCK_ROWS;
  const blockColumns = Math.min(roundUp(columnGroup.count, tileColumns), BLOCK_COLUMNS);
  const columnBlocks = Math.ceil(columnGroup.count / blockColumns);
  const chunksWith = (rows: number): number => batch.count * columnBlocks * Math.ceil(rowGroup.count / rows);
  const workWith = (rows: number): number => rows * blockColumns * k.count;
  while (blockRows >= 32 && chunksWith(blockRows) < wanted && workWith(blockRows) > 4 * CHUNK_WORK) {
    blockRows = roundUp(blockRows / 2, TILE_ROWS);
  }
  const side = (group: Group, operand: 'a' | 'b', width: number, block: number): Side => ({
    ...group,
    operand,
    width,
    block,
    blocks: Math.ceil(group.count / block),
  });
  const rows = side(rowGroup, swap ? 'b' : 'a', TILE_ROWS, blockRows);
  const columns = side(columnGroup, swap ? 'a' : 'b', tileColumns, blockColumns);
  const perBatch = rows.blocks * columns.blocks;
  const work = Math.max(1, rows.count * columns.count * k.count);
  const most = Math.max(1, Math.floor(batch.count / wanted));
  const batches = perBatch === 1 ? Math.min(most, Math.ceil(CHUNK_WORK / work)) : 1;
  const chunks = Math.ceil(batch.count / batches) * perBatch;
  return { batch, rows, columns, k, depth: Math.min(DEPTH, Math.max(1, k.count)), batches, chunks };
}
