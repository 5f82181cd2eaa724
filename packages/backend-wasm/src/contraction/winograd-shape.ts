import { type Contraction, type ThreeByThree, threeByThree } from '@evenkeel/tensor/kernel';
import type { KernelContext } from '../kernel-context.ts';
import { type Filtering, filterings } from './winograd-transforms.ts';

/** A convolution that Winograd's algorithm computes, and by what filtering. */
export interface WinogradShape extends ThreeByThree {
  readonly filtering: Filtering;
}

export function winogradShape(kernel: Contraction, { tolerant }: KernelContext): WinogradShape | undefined {
  const shape = threeByThree(kernel);
  if (!shape || kernel.batch.length > 0) return undefined;
  const { images, height, width, channels, outputs } = shape;
  // Vectors of four fit the channels.
  const fits = channels >= 8 && channels % 4 === 0 && outputs >= 8 && outputs % 4 === 0;
  if (!fits || images * height * width === 0) return undefined;
  const { two, four } = filterings;
  const multiplications = ({ size, points }: Filtering): number => {
    return points * Math.ceil(height / size) * Math.ceil(width / size);
  };
  const filtering = tolerant && multiplications(four) < multiplications(two) ? four : two;
  // Tiles that reach far over the edges do not pay.
  return multiplications(filtering) <= 6 * height * width ? { ...shape, filtering } : undefined;
}
