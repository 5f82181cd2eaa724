import type { Contraction } from '@evenkeel/tensor/kernel';
import type { DeviceTraits } from '../device-traits.ts';
import type { PrintedKernel } from '../printed-kernel.ts';
import { printPlain, printSumOfParts } from './plain.ts';
import { chooseTile, sizesOf, splitsOf } from './tile.ts';
import { printTiled } from './tiled.ts';

/** A contraction: in tiles where it is large enough, its sums split where outputs are few. */
export function printContraction(
  kernel: Contraction,
  traits: DeviceTraits,
  tile = chooseTile(sizesOf(kernel), traits),
): PrintedKernel {
  const sizes = sizesOf(kernel);
  if (!tile) return { launches: [printPlain(kernel, traits)], scratch: [] };
  const splits = splitsOf(sizes);
  if (splits === 1) return { launches: [printTiled(kernel, tile, { kind: 'stores' }, traits)], scratch: [] };
  const parts = printTiled(kernel, tile, { kind: 'partial', splits }, traits);
  const bytes = 4 * splits * sizes.batch * sizes.m * sizes.n;
  return { launches: [parts, printSumOfParts(kernel, splits, traits)], scratch: [bytes] };
}
