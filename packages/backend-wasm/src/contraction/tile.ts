import type { InstructionSet } from '../emitted-kernel.ts';

/**
 * The sums that the micro-kernel keeps in registers: `rows` by `columns` (a multiple of four), for `unroll` steps of k at a
 * time. Each sum is taken in the order of k whatever the tile, so a choice among tiles changes no bit.
 */
export interface Tile {
  readonly rows: number;
  readonly columns: number;
  readonly unroll: number;
}

/**
 * Tiles that are fastest on some engine; the first is good on all. Sixteen registers of four lanes hold eight columns,
 * those of eight lanes, to which V8 joins neighbouring vectors, hold sixteen.
 */
export const tiles: Readonly<Record<InstructionSet, readonly [Tile, ...Tile[]]>> = {
  plain: [
    { rows: 4, columns: 8, unroll: 1 },
    { rows: 6, columns: 8, unroll: 1 },
  ],
  relaxed: [
    { rows: 6, columns: 8, unroll: 1 },
    { rows: 6, columns: 8, unroll: 2 },
    { rows: 4, columns: 8, unroll: 1 },
  ],
  wide: [
    { rows: 6, columns: 16, unroll: 2 },
    { rows: 6, columns: 16, unroll: 1 },
    { rows: 4, columns: 16, unroll: 1 },
  ],
};

/** The tile that a context says, or the first of its instructions. */
export function tileOf({ tile, instructions }: { readonly tile?: Tile; readonly instructions: InstructionSet }): Tile {
  return tile ?? tiles[instructions][0];
}
