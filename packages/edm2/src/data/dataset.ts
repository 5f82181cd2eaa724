/**
 * Values of one image, `[channels, resolution, resolution]`: pixels 0 to 255, or float32 latents as they are stored (of the
 * Stable Diffusion VAE: 4 channels of means, then 4 of standard deviations).
 */
export type ImageValues = Uint8Array | Float32Array;

/** Square images of one size, with labels or without, wherever they lie. */
export interface ImageDataset {
  readonly name: string;
  /** Number of images. */
  readonly length: number;
  readonly channels: number;
  /** Height and width in pixels. */
  readonly resolution: number;
  /** What a row of labels holds: one number for each class, or the numbers of a label vector; 0 without labels. */
  readonly labelDim: number;
  /** `[labelDim]`, where classes have names. */
  readonly classNames?: readonly string[];
  /** May be a view: do not write to it. Throws outside `0 ... length - 1`. */
  image(index: number): ImageValues | Promise<ImageValues>;
  /** The class, `0 ... labelDim - 1`, or a vector `[labelDim]`; absent where labelDim is 0. */
  label?(index: number): number | Float32Array;
  /** Images of equal group are variants of one another (of skin colour, say) and stay on one side of a held-out split. */
  group?(index: number): string;
}

/** Pixels in memory, with a class for each image. */
export interface PictureSet extends ImageDataset {
  readonly classNames: readonly string[];
  image(index: number): Uint8Array;
  label(index: number): number;
}

/**
 * The images of `dataset` at `indices`, as a data set of its own.
 *
 * @throws RangeError when an index is outside of the data set.
 * @example
 * ```ts
 * const emoji = await loadEmoji16();
 * const firstTwo = subset(emoji, [0, 1]);
 * firstTwo.length; // 2
 * ```
 */
export function subset(dataset: PictureSet, indices: ArrayLike<number>): PictureSet;
export function subset(dataset: ImageDataset, indices: ArrayLike<number>): ImageDataset;
export function subset(dataset: ImageDataset, indices: ArrayLike<number>): ImageDataset {
  const chosen = Uint32Array.from(indices, (index) => checkedIndex(dataset, index));
  const at = (index: number) => chosen[checkedIndex(view, index)]!;
  const { name, channels, resolution, labelDim, classNames, label, group } = dataset;
  const view: ImageDataset = {
    name,
    length: chosen.length,
    channels,
    resolution,
    labelDim,
    image: (index) => dataset.image(at(index)),
    ...(classNames && { classNames }),
    ...(label && { label: (index: number) => label.call(dataset, at(index)) }),
    ...(group && { group: (index: number) => group.call(dataset, at(index)) }),
  };
  return view;
}

/** `index`, or an error that says what was asked of which data set. */
export function checkedIndex(dataset: { name: string; length: number }, index: number): number {
  if (Number.isInteger(index) && index >= 0 && index < dataset.length) return index;
  throw new RangeError(`${dataset.name}: image ${index} of ${dataset.length}. Indices are 0 to ${dataset.length - 1}`);
}
