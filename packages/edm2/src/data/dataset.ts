/** Square pictures with one label each, held as 8-bit pixels. */
export interface ImageDataset {
  readonly name: string;
  /** Number of pictures. */
  readonly length: number;
  readonly channels: number;
  /** Height and width in pixels. */
  readonly resolution: number;
  /** Number of classes; labels are `0 ... labelCount - 1`. */
  readonly labelCount: number;
  /** `[labelCount]`, in the order of the labels. */
  readonly classNames: readonly string[];
  /** Pixels `[channels, resolution, resolution]`, 0 to 255. May be a view: do not write to it. Throws outside `0 ... length - 1`. */
  image(index: number): Uint8Array;
  label(index: number): number;
  /** Pictures of equal group are variants of one another (of skin colour, say) and stay on one side of a held-out split. */
  group?(index: number): string;
}

/**
 * The pictures of `dataset` at `indices`, as a data set of its own.
 *
 * @throws RangeError when an index is outside of the data set.
 * @example
 * ```ts
 * const emoji = await loadEmoji16();
 * const firstTwo = subset(emoji, [0, 1]);
 * firstTwo.length; // 2
 * ```
 */
export function subset(dataset: ImageDataset, indices: ArrayLike<number>): ImageDataset {
  const chosen = Uint32Array.from(indices, (index) => checkedIndex(dataset, index));
  const at = (index: number) => chosen[checkedIndex(view, index)]!;
  const view: ImageDataset = {
    name: dataset.name,
    length: chosen.length,
    channels: dataset.channels,
    resolution: dataset.resolution,
    labelCount: dataset.labelCount,
    classNames: dataset.classNames,
    image: (index) => dataset.image(at(index)),
    label: (index) => dataset.label(at(index)),
    ...(dataset.group === undefined ? {} : { group: (index: number) => dataset.group!(at(index)) }),
  };
  return view;
}

/** `index`, or an error that says what was asked of which data set. */
export function checkedIndex(dataset: { name: string; length: number }, index: number): number {
  if (Number.isInteger(index) && index >= 0 && index < dataset.length) return index;
  throw new RangeError(`${dataset.name}: image ${index} of ${dataset.length}. Indices are 0 to ${dataset.length - 1}`);
}
