import { createMultiply, type MultiplyPanels, printMultiply } from './micro-kernel.ts';

/** Positions of one side of a block, and depth of a panel: a column panel (8 KiB) stays in the first-level cache. */
export const BLOCK = 512;
export const DEPTH = 256;
/** Packed values of one side: room for a small side that is packed once for all blocks of the other. */
export const PACKED = 2 ** 18;

/** A place in the planes behind all values. */
export const FINITE_CHECK = PACKED;

/**
 * The memory that all contractions of a compiler work in. Generated code closes over it, so that V8 knows the arrays'
 * addresses: a third faster than arrays in arguments.
 */
export interface BlockMemory {
  readonly rows: Float64Array;
  readonly columns: Float64Array;
  readonly tiles: Float64Array;
  /** Images and outputs of fast convolutions; at `FINITE_CHECK`, 0 if all that was gathered last is finite. */
  readonly planes: Float64Array;
  readonly multiply: MultiplyPanels;
}

export const BLOCK_MEMORY_BYTES = 8 * (3 * PACKED + BLOCK * BLOCK);

export function createBlockMemory(options: { interpret: boolean }): BlockMemory {
  const [rows, columns] = [new Float64Array(PACKED), new Float64Array(PACKED)];
  const planes = new Float64Array(PACKED + 1);
  const tiles = new Float64Array(BLOCK * BLOCK);
  const create = options.interpret
    ? createMultiply
    : (new Function(`return ${printMultiply()}`)() as typeof createMultiply);
  return { rows, columns, tiles, planes, multiply: create(rows, columns, tiles) };
}
