import { loadEmoji16 } from '../../data/emoji16.ts';
import { type ImageDataset, withMirrored } from '../../data/index.ts';
import { cached, randomSubset } from '../../data/variants.ts';
import { fileDataset } from './file-dataset.ts';
import { openFileSource } from './file-source.ts';
import { findIdxFiles, openIdx } from './idx.ts';

/** Options of {@link openImageDataset}. */
export interface OpenImageDatasetOptions {
  /** Whether labels are read. Without, or where there are none, `labelDim` is 0. @defaultValue true */
  readonly useLabels?: boolean;
  /** Takes this many images, drawn by `seed`, in the order in which they stand. @defaultValue all */
  readonly maxSize?: number;
  /** @defaultValue 0 */
  readonly seed?: number;
  /** Whether mirrored copies of all images follow behind. @defaultValue false */
  readonly xflip?: boolean;
  /** Height and width that images must have. @defaultValue what they have */
  readonly resolution?: number;
  /** Whether images stay in memory once they were read. @defaultValue true where all of them take no more than 1 GiB */
  readonly cache?: boolean;
  /** Part of an MNIST-like data set. @defaultValue 'train' */
  readonly split?: 'train' | 'test';
}

/** A data set that may hold a file open until it is closed. */
export interface OpenImageDataset extends ImageDataset, AsyncDisposable {
  close(): Promise<void>;
}

const mostCachedBytes = 2 ** 30;

/**
 * Opens the images at a path, or of a name:
 * a folder or zip archive of PNG, npy or other pictures (JPEG, WebP, ... with the optional package `sharp`), with labels
 * from a `dataset.json` beside them; a folder with the idx files of MNIST, Fashion-MNIST and the like; or `'emoji16'`, the
 * pictures that are in this package. Images are read when they are asked for.
 *
 * @throws Error, one line, when there is nothing there, no image, or images, labels or options do not fit.
 * @example
 * ```ts
 * const writer = await ZipWriter.create('grey.zip');
 * for (const value of [0, 255]) {
 *   const data = new Uint8Array(64).fill(value);
 *   await writer.add(`${value}.png`, encodePng({ width: 8, height: 8, channels: 1, data }));
 * }
 * await writer.add('dataset.json', new TextEncoder().encode('{"labels": [["0.png", 0], ["255.png", 1]]}'));
 * await writer.finish();
 *
 * const dataset = await openImageDataset('grey.zip', { xflip: true });
 * [dataset.length, dataset.channels, dataset.resolution, dataset.labelDim]; // [4, 1, 8, 2]
 * await dataset.close();
 * ```
 */
export async function openImageDataset(
  pathOrName: string,
  options: OpenImageDatasetOptions = {},
): Promise<OpenImageDataset> {
  const { maxSize, seed = 0, xflip = false, resolution } = options;
  if (maxSize !== undefined && !(Number.isInteger(maxSize) && maxSize > 0)) {
    throw new RangeError(`openImageDataset: maxSize is ${maxSize}, must be a whole number of at least 1`);
  }
  const { dataset, close } = await openWhole(pathOrName, options);
  if (resolution !== undefined && dataset.resolution !== resolution) {
    await close();
    throw new Error(
      `${pathOrName}: images are ${dataset.resolution} x ${dataset.resolution} pixels, not ${resolution} x ${resolution}. Resize them: edm2 dataset convert --resolution ${resolution}x${resolution}`,
    );
  }
  const chosen = maxSize === undefined ? dataset : randomSubset(dataset, maxSize, { seed });
  const bytes = chosen.length * chosen.channels * chosen.resolution ** 2 * (chosen.channels > 4 ? 4 : 1);
  const kept = (options.cache ?? bytes <= mostCachedBytes) ? cached(chosen) : chosen;
  return { ...(xflip ? withMirrored(kept) : kept), close, [Symbol.asyncDispose]: close };
}

interface Opened {
  readonly dataset: ImageDataset;
  readonly close: () => Promise<void>;
}

async function openWhole(
  pathOrName: string,
  { useLabels = true, split = 'train' }: OpenImageDatasetOptions,
): Promise<Opened> {
  const nothing = async () => {};
  if (pathOrName === 'emoji16') {
    const emoji = await loadEmoji16();
    return { dataset: useLabels ? emoji : withoutLabels(emoji), close: nothing };
  }
  const idx = await findIdxFiles(pathOrName, split);
  if (idx !== undefined) return { dataset: await openIdx(pathOrName, idx, useLabels), close: nothing };
  const source = await openFileSource(pathOrName);
  try {
    return { dataset: await fileDataset(source, useLabels), close: () => source.close() };
  } catch (error) {
    await source.close();
    throw error;
  }
}

function withoutLabels({ label, classNames, ...dataset }: ImageDataset): ImageDataset {
  return { ...dataset, labelDim: 0 };
}
