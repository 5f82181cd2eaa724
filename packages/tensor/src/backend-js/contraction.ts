import type { Contraction } from '../kernel/ir.ts';
import { elementCount } from '../types/shape.ts';
import { BLOCK, type BlockMemory, DEPTH, PACKED } from './block-memory.ts';
import { type Block, Blocking } from './blocks.ts';
import { type AxisGroup, type ContractionAxes, lowerEpilogue, lowerPacking } from './contraction-loops.ts';
import type { LoopFunction, LoopProgram } from './loops.ts';
import { TILE_COLUMNS, TILE_ROWS } from './micro-kernel.ts';

type Side = 'rows' | 'columns';

const widths = { rows: TILE_ROWS, columns: TILE_COLUMNS } as const;

/** The generated parts of a contraction. */
export interface LoweredContraction {
  readonly axes: ContractionAxes;
  readonly packRows: LoopProgram;
  readonly packColumns: LoopProgram;
  readonly epilogue: LoopProgram;
}

export function lowerContraction(kernel: Contraction): LoweredContraction {
  const axes = axesOf(kernel);
  return {
    axes,
    packRows: lowerPacking(kernel, 'rows', axes),
    packColumns: lowerPacking(kernel, 'columns', axes),
    epilogue: lowerEpilogue(kernel, axes),
  };
}

function axesOf({ batch, m, n, k }: Contraction): ContractionAxes {
  const group = (letter: AxisGroup['letter'], first: number, sizes: readonly number[], limit: number): AxisGroup => ({
    letter,
    first,
    sizes,
    blocking: new Blocking(sizes, limit),
  });
  const left = group('m', batch.length, m, BLOCK);
  const right = group('n', batch.length + m.length, n, BLOCK);
  // Columns come in fours: a side of one to three is better as rows.
  const swap = elementCount(n) < TILE_COLUMNS && elementCount(m) >= TILE_COLUMNS;
  return {
    batch: group('b', 0, batch, 1),
    rows: swap ? right : left,
    columns: swap ? left : right,
    k: group('k', batch.length + m.length + n.length, k, DEPTH),
  };
}

/**
 * A contraction as blocks: both operands are evaluated into panels (their index maps and prologues with them), the
 * micro-kernel multiplies panels in float64, and the epilogue reads the sums. Each sum is taken in the order of k,
 * whatever the blocks.
 */
export function linkContraction(
  { axes }: LoweredContraction,
  functions: { packRows: LoopFunction; packColumns: LoopFunction; epilogue: LoopFunction },
  memory: BlockMemory,
): LoopFunction {
  const { batch, rows, columns, k } = axes;
  const kBlocks = blocksOf(k);
  const smallSide: Side = elementCount(rows.sizes) <= elementCount(columns.sizes) ? 'rows' : 'columns';
  const largeSide: Side = smallSide === 'rows' ? 'columns' : 'rows';
  const [smallBlocks, largeBlocks] = [blocksOf(axes[smallSide]), blocksOf(axes[largeSide])];
  // A small side that fits is packed once for all blocks of the large one.
  const smallPlaces = roundUp(smallBlocks[0]?.count ?? 0, widths[smallSide]);
  const isResident =
    smallBlocks.length === 1 && largeBlocks.length > 1 && smallPlaces * elementCount(k.sizes) <= PACKED;
  const residentOffsets = isResident ? offsetsOf(kBlocks, smallPlaces) : kBlocks.map(() => 0);

  return (operands, given, scratch) => {
    const pack = (side: Side, offset: number, outer: Block, block: Block, kBlock: Block): void => {
      // Places of the last panel that no element fills keep what they held: their sums are not read.
      const stride = kBlock.count * widths[side];
      const run = side === 'rows' ? functions.packRows : functions.packColumns;
      run(operands, given, scratch, [offset, stride, ...spread(outer, block, kBlock)]);
    };
    for (const outer of blocksOf(batch)) {
      if (isResident) {
        kBlocks.forEach((kBlock, i) => {
          pack(smallSide, residentOffsets[i] as number, outer, smallBlocks[0] as Block, kBlock);
        });
      }
      for (const large of largeBlocks) {
        for (const small of smallBlocks) {
          const [rowBlock, columnBlock] = smallSide === 'rows' ? [small, large] : [large, small];
          const rowPanels = Math.ceil(rowBlock.count / TILE_ROWS);
          const columnPanels = Math.ceil(columnBlock.count / TILE_COLUMNS);
          memory.tiles.fill(0, 0, rowPanels * columnPanels * TILE_ROWS * TILE_COLUMNS);
          kBlocks.forEach((kBlock, i) => {
            const offsets = { rows: 0, columns: 0, [smallSide]: residentOffsets[i] as number };
            if (!isResident) pack(smallSide, 0, outer, small, kBlock);
            pack(largeSide, 0, outer, large, kBlock);
            memory.multiply(offsets.rows, rowPanels, offsets.columns, columnPanels, 0, kBlock.count);
          });
          const stride = rowPanels * TILE_ROWS * TILE_COLUMNS;
          functions.epilogue(operands, given, scratch, [0, stride, ...spread(outer, rowBlock, columnBlock)]);
        }
      }
    }
  };
}

function offsetsOf(blocks: readonly Block[], places: number): number[] {
  let offset = 0;
  return blocks.map(({ count }) => {
    const start = offset;
    offset += places * count;
    return start;
  });
}

function blocksOf({ blocking }: AxisGroup): Block[] {
  return Array.from({ length: blocking.count }, (_, number) => blocking.block(number));
}

function roundUp(count: number, width: number): number {
  return Math.ceil(count / width) * width;
}

/** Bounds of each axis, as generated code expects them. */
function spread(...blocks: readonly Block[]): number[] {
  return blocks.flatMap(({ from, to }) => from.flatMap((start, axis) => [start, to[axis] as number]));
}
