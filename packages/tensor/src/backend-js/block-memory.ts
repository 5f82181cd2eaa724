import { createMultiply, type MultiplyPanels, printMultiply } from './micro-kernel.ts';

/** Positions of one side of a block, and depth of a panel: a column panel (8 KiB) stays in the first-level cache. */
export const BLOCK = 512;
export const DEPTH = 256;
/** Packed values of one side: room for a small side that is packed once for all blocks of the other. */
export const PACKED = 2 ** 18;

/**
 * The memory that all contractions of a compiler work in. Generated code closes over it, so that V8 knows the arrays'
 * addresses: a third faster than arrays in arguments.
 */
export interface BlockMemory {
  readonly rows: Float64Array;
  readonly columns: Float64Array;
  readonly tiles: Float64Array;
  readonly multiply: MultiplyPanels;
}

export const BLOCK_MEMORY_BYTES = 8 * (2 * PACKED + BLOCK * BLOCK);

export function createBlockMemory(options: { interpret: boolean }): BlockMemory {
  const [rows, columns, tiles] = [PACKED, PACKED, BLOCK * BLOCK].map((length) => new Float64Array(length)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const create = options.interpret
    ? createMultiply
    : (new Function(`return ${printMultiply()}`)() as typeof createMultiply);
  return { rows, columns, tiles, multiply: create(rows, columns, tiles) };
}
