import type { Contraction } from '../kernel/ir.ts';
import { elementCount } from '../types/shape.ts';
import { type Block, Blocking } from './blocks.ts';
import {
  type AxisGroup,
  type ContractionAxes,
  lowerEpilogue,
  lowerPacking,
  PACKED_COLUMNS,
  PACKED_ROWS,
  TILES,
} from './contraction-loops.ts';
import type { LoopFunction, LoopProgram } from './loops.ts';
import { multiplyPanels, TILE_COLUMNS, TILE_ROWS } from './micro-kernel.ts';

/** Depth of a panel: a column panel of it (8 KiB) stays in the first-level cache. */
const DEPTH = 256;
/** Positions of a block: a packed block and its tiles stay in the second- and third-level cache. */
const BLOCK = 512;
/** Values of a smaller side that is packed once for all blocks of the larger. */
const RESIDENT = 1 << 19;

/** A contraction ready to be printed. */
export interface LoweredContraction {
  readonly programs: readonly [rows: LoopProgram, columns: LoopProgram, epilogue: LoopProgram];
  readonly scratchLengths: readonly number[];
  /** The loops over blocks, given the three programs as functions. */
  link(functions: readonly LoopFunction[]): LoopFunction;
}

/**
 * A contraction as blocks: both operands are evaluated into panels once (their index maps and prologues with them), a
 * fixed micro-kernel multiplies panels in float64, and the epilogue reads the sums. Each sum is taken in the order of k.
 */
export function lowerContraction(kernel: Contraction): LoweredContraction {
  const axes = axesOf(kernel);
  const { rows, columns, k, batch } = axes;
  const depth = k.blocking.largest;
  const total = elementCount(k.sizes);
  // The smaller side is whole (or cut at BLOCK), packed anew for each block of the larger unless it fits.
  const smallIsRows = elementCount(rows.sizes) <= elementCount(columns.sizes);
  const [small, large] = smallIsRows ? [rows, columns] : [columns, rows];
  const smallWidth = smallIsRows ? TILE_ROWS : TILE_COLUMNS;
  const panels = (group: AxisGroup, width: number): number => Math.ceil(group.blocking.largest / width);
  const isResident =
    small.blocking.count === 1 &&
    large.blocking.count > 1 &&
    panels(small, smallWidth) * smallWidth * total <= RESIDENT;
  const length = (group: AxisGroup, width: number): number => panels(group, width) * width * depth;
  const residentLength = panels(small, smallWidth) * smallWidth * total;
  const scratchLengths = [
    isResident && smallIsRows ? residentLength : length(rows, TILE_ROWS),
    isResident && !smallIsRows ? residentLength : length(columns, TILE_COLUMNS),
    panels(rows, TILE_ROWS) * panels(columns, TILE_COLUMNS) * TILE_ROWS * TILE_COLUMNS,
  ];
  const programs = [
    lowerPacking(kernel, 'rows', axes),
    lowerPacking(kernel, 'columns', axes),
    lowerEpilogue(kernel, axes),
  ] as const;

  const kBlocks = blocksOf(k);
  const link = (functions: readonly LoopFunction[]): LoopFunction => {
    const [packRows, packColumns, epilogue] = functions as [LoopFunction, LoopFunction, LoopFunction];
    return (operands, given, scratch) => {
      const [packedRows, packedColumns, tiles] = [PACKED_ROWS, PACKED_COLUMNS, TILES].map((i) => scratch[i]) as [
        Float64Array,
        Float64Array,
        Float64Array,
      ];
      const pack = (side: 'rows' | 'columns', offset: number, outer: Block, block: Block, kBlock: Block): void => {
        const isRows = side === 'rows';
        const width = isRows ? TILE_ROWS : TILE_COLUMNS;
        const stride = kBlock.count * width;
        const panelCount = Math.ceil(block.count / width);
        // The last panel may have places that no element fills.
        if (block.count % width !== 0) {
          (isRows ? packedRows : packedColumns).fill(
            0,
            offset + (panelCount - 1) * stride,
            offset + panelCount * stride,
          );
        }
        (isRows ? packRows : packColumns)(operands, given, scratch, [offset, stride, ...spread(outer, block, kBlock)]);
      };
      const [smallSide, largeSide] = smallIsRows ? (['rows', 'columns'] as const) : (['columns', 'rows'] as const);
      for (const batchBlock of blocksOf(batch)) {
        const smallBlocks = blocksOf(small);
        const offsets = kBlocks.map(() => 0);
        if (isResident) {
          let offset = 0;
          kBlocks.forEach((kBlock, i) => {
            offsets[i] = offset;
            pack(smallSide, offset, batchBlock, smallBlocks[0] as Block, kBlock);
            offset += panels(small, smallWidth) * smallWidth * kBlock.count;
          });
        }
        for (const largeBlock of blocksOf(large)) {
          for (const smallBlock of smallBlocks) {
            const [rowBlock, columnBlock] = smallIsRows ? [smallBlock, largeBlock] : [largeBlock, smallBlock];
            const rowPanels = Math.ceil(rowBlock.count / TILE_ROWS);
            const columnPanels = Math.ceil(columnBlock.count / TILE_COLUMNS);
            tiles.fill(0, 0, rowPanels * columnPanels * TILE_ROWS * TILE_COLUMNS);
            kBlocks.forEach((kBlock, i) => {
              if (!isResident) pack(smallSide, 0, batchBlock, smallBlock, kBlock);
              pack(largeSide, 0, batchBlock, largeBlock, kBlock);
              const [rowOffset, columnOffset] = smallIsRows ? [offsets[i], 0] : [0, offsets[i]];
              multiplyPanels(
                packedRows,
                rowOffset as number,
                rowPanels,
                packedColumns,
                columnOffset as number,
                columnPanels,
                tiles,
                kBlock.count,
              );
            });
            const stride = rowPanels * TILE_ROWS * TILE_COLUMNS;
            epilogue(operands, given, scratch, [0, stride, ...spread(batchBlock, rowBlock, columnBlock)]);
          }
        }
      }
    };
  };
  return { programs, scratchLengths, link };
}

function axesOf(kernel: Contraction): ContractionAxes {
  const { batch, m, n, k } = kernel;
  const group = (letter: AxisGroup['letter'], first: number, sizes: readonly number[], limit: number): AxisGroup => ({
    letter,
    first,
    sizes,
    blocking: new Blocking(sizes, limit),
  });
  const [rows, columns] = [group('m', batch.length, m, BLOCK), group('n', batch.length + m.length, n, BLOCK)];
  // Columns come in fours: a side of one to three is better as rows.
  const swap = elementCount(n) < TILE_COLUMNS && elementCount(m) >= TILE_COLUMNS;
  return {
    batch: group('b', 0, batch, 1),
    rows: swap ? columns : rows,
    columns: swap ? rows : columns,
    k: group('k', batch.length + m.length + n.length, k, DEPTH),
  };
}

function blocksOf({ blocking }: AxisGroup): Block[] {
  return Array.from({ length: blocking.count }, (_, number) => blocking.block(number));
}

function spread(...blocks: readonly Block[]): number[] {
  return blocks.flatMap(({ from, to }) => from.flatMap((start, axis) => [start, to[axis] as number]));
}
