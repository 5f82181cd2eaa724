import { shuffledIndices } from '@evenkeel/nn';
import { checkedIndex, type ImageDataset, type ImageValues, subset } from './dataset.ts';

/**
 * `count` images of a data set, drawn as the seed says, in the order in which they stand in it. All of them where there are
 * no more.
 *
 * @example
 * ```ts
 * const emoji = await loadEmoji16();
 * randomSubset(emoji, 100, { seed: 1 }).length; // 100
 * ```
 */
export function randomSubset(dataset: ImageDataset, count: number, { seed = 0 } = {}): ImageDataset {
  if (count >= dataset.length) return dataset;
  const order = shuffledIndices(dataset.length, { seed });
  return subset(dataset, Uint32Array.from({ length: count }, (_, position) => order.at(position)).sort());
}

/**
 * The images of a data set, then all of them mirrored left to right, with the same labels: twice as many. An image and its
 * mirror image are of one group.
 *
 * @example
 * ```ts
 * const emoji = await loadEmoji16();
 * withMirrored(emoji).length; // 4180
 * ```
 */
export function withMirrored(dataset: ImageDataset): ImageDataset {
  const { name, length, label, resolution } = dataset;
  const doubled = { name, length: 2 * length };
  const at = (index: number) => checkedIndex(doubled, index) % length;
  return {
    ...dataset,
    ...doubled,
    async image(index) {
      const image = await dataset.image(at(index));
      return index < length ? image : mirrored(image, resolution);
    },
    ...(label && { label: (index: number) => label.call(dataset, at(index)) }),
    group: (index) => dataset.group?.(at(index)) ?? String(at(index)),
  };
}

function mirrored(image: ImageValues, width: number): ImageValues {
  const flipped = image.slice();
  for (let row = 0; row < flipped.length; row += width) flipped.subarray(row, row + width).reverse();
  return flipped;
}

/** The images of a data set, each kept in memory once it was read. */
export function cached(dataset: ImageDataset): ImageDataset {
  const kept = new Map<number, ImageValues | Promise<ImageValues>>();
  return {
    ...dataset,
    image(index) {
      const known = kept.get(index);
      if (known !== undefined) return known;
      const image = dataset.image(index);
      kept.set(index, image);
      // What failed may succeed when it is read again.
      if (image instanceof Promise) image.then((values) => kept.set(index, values)).catch(() => kept.delete(index));
      return image;
    },
  };
}
