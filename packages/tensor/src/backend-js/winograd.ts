import type { Contraction } from '../kernel/ir.ts';
import { type BlockMemory, FINITE_CHECK } from './block-memory.ts';
import { Blocking } from './blocks.ts';
import type { LoopFunction, LoopProgram } from './loops.ts';
import { TILE_COLUMNS, TILE_ROWS } from './micro-kernel.ts';
import {
  blockSizes,
  boundsOf,
  lowerGatherInput,
  lowerGatherOther,
  lowerInverseTransform,
  lowerTileTransform,
  lowerWeightTransform,
  lowerWinogradEpilogue,
  type WinogradBlock,
} from './winograd-loops.ts';
import { POINTS, TILE, type WinogradShape } from './winograd-shape.ts';

/** The generated parts of a convolution by Winograd's algorithm. */
export interface WinogradParts<T> {
  readonly gatherInput: T;
  readonly gatherOther: T;
  readonly transformInput: T;
  readonly transformOther: T;
  readonly inverse: T;
  readonly epilogue: T;
}

export function lowerWinograd(kernel: Contraction, shape: WinogradShape): WinogradParts<LoopProgram> {
  const isForward = shape.role === 'forward';
  return {
    gatherInput: lowerGatherInput(kernel, shape),
    gatherOther: lowerGatherOther(kernel, shape),
    transformInput: lowerTileTransform(shape, 'input'),
    transformOther: isForward ? lowerWeightTransform(shape) : lowerTileTransform(shape, 'outputGradient'),
    inverse: lowerInverseTransform(shape),
    epilogue: lowerWinogradEpilogue(kernel, shape),
  };
}

/**
 * A 3 x 3 convolution as 36 products of matrices, a quarter of the multiplications. Infinities and NaN would spread over
 * their tiles, so where there are any the plain contraction runs instead.
 */
export function linkWinograd(
  kernel: Contraction,
  shape: WinogradShape,
  parts: WinogradParts<LoopFunction>,
  memory: BlockMemory,
  plain: LoopFunction,
): LoopFunction {
  const { role, images, channels, outputs, height, width, imagesPerBlock, tileRowsPerBlock } = shape;
  const { tileColumns, rowStride, columnStride, tileStride } = blockSizes(shape);
  const { planes, tiles } = memory;
  const blocks = blocksOf(images, Math.ceil(height / TILE), tileColumns, imagesPerBlock, tileRowsPerBlock);
  const hasTail = height % TILE !== 0 || width % TILE !== 0;
  const batches = new Blocking(kernel.batch, 1);

  return (operands, given, scratch) => {
    /** Gathers values of a block into the planes; false where they are not all finite. */
    const gather = (part: LoopFunction, bounds: number[], length: number): boolean => {
      if (hasTail) planes.fill(0, 0, length);
      part(operands, given, scratch, bounds);
      return planes[FINITE_CHECK] === 0;
    };
    const planeLength = ({ fromImage, toImage, tileRows }: WinogradBlock, halo: number, count: number): number => {
      return (toImage - fromImage) * (tileRows * TILE + halo) * (tileColumns * TILE + halo) * count;
    };
    const multiply = (rows: number, depth: number): void => {
      const [rowPanels, columnPanels] = [Math.ceil(rows / TILE_ROWS), Math.ceil(outputs / TILE_COLUMNS)];
      for (let point = 0; point < POINTS; point++) {
        memory.multiply(point * rowStride, rowPanels, point * columnStride, columnPanels, point * tileStride, depth);
      }
    };
    for (let number = 0; number < batches.count; number++) {
      const batch = [...batches.block(number).from];
      if (role === 'forward') {
        const bounds = boundsOf(blocks[0] as WinogradBlock, batch);
        if (!gather(parts.gatherOther, bounds, 9 * channels * outputs)) return plain(operands, given, scratch, []);
        parts.transformOther(operands, given, scratch, bounds);
      } else {
        tiles.fill(0, 0, POINTS * tileStride);
      }
      for (const block of blocks) {
        const bounds = boundsOf(block, batch);
        if (!gather(parts.gatherInput, bounds, planeLength(block, 2, channels)))
          return plain(operands, given, scratch, []);
        parts.transformInput(operands, given, scratch, bounds);
        if (role === 'weightGradient') {
          if (!gather(parts.gatherOther, bounds, planeLength(block, 0, outputs)))
            return plain(operands, given, scratch, []);
          parts.transformOther(operands, given, scratch, bounds);
          multiply(channels, block.tiles);
        } else {
          tiles.fill(0, 0, POINTS * tileStride);
          multiply(block.tiles, channels);
          parts.inverse(operands, given, scratch, bounds);
          parts.epilogue(operands, given, scratch, bounds);
        }
      }
      if (role === 'weightGradient') {
        const bounds = boundsOf(blocks[0] as WinogradBlock, batch);
        parts.inverse(operands, given, scratch, bounds);
        parts.epilogue(operands, given, scratch, bounds);
      }
    }
  };
}

function blocksOf(
  images: number,
  tileRows: number,
  tileColumns: number,
  imageStep: number,
  rowStep: number,
): WinogradBlock[] {
  const blocks: WinogradBlock[] = [];
  for (let fromImage = 0; fromImage < images; fromImage += imageStep) {
    for (let row = 0; row < tileRows; row += rowStep) {
      const toImage = Math.min(images, fromImage + imageStep);
      const rows = Math.min(rowStep, tileRows - row);
      const tiles = (toImage - fromImage) * rows * tileColumns;
      blocks.push({ fromImage, toImage, fromRow: row * TILE, toRow: (row + rows) * TILE, tileRows: rows, tiles });
    }
  }
  return blocks;
}
