import { type Contraction, type ThreeByThree, threeByThree } from '@evenkeel/tensor/kernel';

export type WinogradShape = ThreeByThree;

/** The shape of a convolution that Winograd's algorithm computes. */
export function winogradShape(kernel: Contraction): WinogradShape | undefined {
  const shape = threeByThree(kernel);
  if (!shape || kernel.batch.length > 0) return undefined;
  const { images, height, width, channels, outputs } = shape;
  // Vectors of four fit the channels.
  const fits = channels >= 8 && channels % 4 === 0 && outputs >= 8 && outputs % 4 === 0;
  // Tiles that reach far over the edges do not pay.
  const covered = 4 * Math.ceil(height / 2) * Math.ceil(width / 2);
  return fits && images * height * width > 0 && covered <= 1.5 * height * width ? shape : undefined;
}
