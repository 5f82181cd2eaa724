import type { ImageDataset } from '../../data/dataset.ts';
import { labelsOf } from '../../data/labels.ts';

/** What a data set holds. */
export interface DatasetInfo {
  readonly images: number;
  readonly channels: number;
  readonly resolution: number;
  readonly values: 'pixels' | 'latents';
  readonly labelDim: number;
  /** Images of each class, by label; null without labels, or where they are vectors. */
  readonly classCounts: readonly number[] | null;
  /** By label, where classes have names. */
  readonly classNames: readonly string[] | null;
}

/** Options of {@link datasetInfo}. */
export interface DatasetInfoOptions {
  /** Reads every image, so that a damaged one, or one of another size, is found. @defaultValue false */
  readonly check?: boolean;
  /** Told after each image that was read. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

/**
 * Counts what a data set holds.
 *
 * @throws Error, one line naming the image, when one cannot be read.
 * @example
 * ```ts
 * const { images, classCounts } = await datasetInfo(await openImageDataset('emoji16'));
 * images; // 2090
 * classCounts; // [997, 142, 29, 124, 72, 261, 278, 118, 38, 31]
 * ```
 */
export async function datasetInfo(dataset: ImageDataset, options: DatasetInfoOptions = {}): Promise<DatasetInfo> {
  const { length, channels, resolution, labelDim, classNames = null } = dataset;
  const first = await dataset.image(0);
  for (let index = 0; options.check && index < length; index++) {
    await dataset.image(index);
    options.onProgress?.({ done: index + 1, total: length });
  }
  const values = first instanceof Uint8Array ? 'pixels' : 'latents';
  return { images: length, channels, resolution, values, labelDim, classCounts: classCountsOf(dataset), classNames };
}

function classCountsOf(dataset: ImageDataset): number[] | null {
  if (typeof dataset.label?.(0) !== 'number') return null;
  const counts = new Array<number>(dataset.labelDim).fill(0);
  for (const label of labelsOf(dataset)) counts[label]!++;
  return counts;
}
