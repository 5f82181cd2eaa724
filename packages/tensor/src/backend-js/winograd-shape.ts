import type { Contraction } from '../kernel/ir.ts';
import { type ThreeByThree, threeByThree } from '../kernel/three-by-three.ts';
import { BLOCK, PACKED } from './block-memory.ts';

/** Points at which a 3 x 3 convolution of 4 x 4 outputs is multiplied. */
export const POINTS = 36;
export const TILE = 4;

/** A convolution that the fast algorithm takes. */
export interface WinogradShape extends ThreeByThree {
  /** Images and rows of tiles that are worked on at a time. */
  readonly imagesPerBlock: number;
  readonly tileRowsPerBlock: number;
}

/** The shape of a contraction that the fast algorithm takes. */
export function winogradShape(kernel: Contraction): WinogradShape | undefined {
  if (kernel.operands.some(({ access }) => access === 'inout')) return undefined;
  const shape = threeByThree(kernel);
  if (!shape) return undefined;
  const { images, channels, outputs, height, width } = shape;
  // Fewer channels do not pay for the transforms, nor do images that fill few of their tiles.
  if (channels < 8 || outputs < 3 || images * height * width === 0) return undefined;
  const [tileRows, tileColumns] = [Math.ceil(height / TILE), Math.ceil(width / TILE)];
  if (tileRows * tileColumns * TILE * TILE > 2 * height * width) return undefined;
  if (POINTS * (channels + 1) * (outputs + 3) > Math.min(PACKED, BLOCK * BLOCK)) return undefined;
  const tiles = Math.floor(PACKED / (POINTS * Math.max(channels + 1, outputs + 3))) - 1;
  if (tiles < tileColumns) return undefined;
  const perImage = tileRows * tileColumns;
  const imagesPerBlock = perImage <= tiles ? Math.min(images, Math.floor(tiles / perImage)) : 1;
  const tileRowsPerBlock = perImage <= tiles ? tileRows : Math.floor(tiles / tileColumns);
  return { ...shape, imagesPerBlock, tileRowsPerBlock };
}
