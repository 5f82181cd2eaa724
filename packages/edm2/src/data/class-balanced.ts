import { classBalancedIndices, type IndexStream, type ShuffleOptions } from '@evenkeel/nn';
import type { ImageDataset } from './dataset.ts';
import { labelsOf } from './labels.ts';

/**
 * An endless stream of image indices in which every class comes equally often, however many images it has. What stands at a
 * position is a pure function of (seed, position), so that training resumes exactly; a data loader takes it as `indices`.
 *
 * @throws when images have no classes.
 * @example
 * ```ts
 * const emoji = await loadEmoji16();
 * const draws = classBalanced(emoji, { seed: 7 });
 * const batch = Array.from({ length: 32 }, (_, position) => draws.at(position)); // every class about three times
 * ```
 */
export function classBalanced(dataset: ImageDataset, options: ShuffleOptions = {}): IndexStream {
  return classBalancedIndices(labelsOf(dataset), options);
}
