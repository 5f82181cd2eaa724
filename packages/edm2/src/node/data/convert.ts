import { encodePng, type RasterImage } from '@evenkeel/formats';
import { type TransformOptions, transformImage } from '../../data/transform/transform.ts';
import { createDataset, imageName } from './dataset-writer.ts';
import { type ImageCollection, openImageCollection } from './image-collection.ts';
import type { PlanarImage } from './image-file.ts';

/** What all long work on data sets takes. */
export interface DatasetWorkOptions {
  /** A folder, a zip archive, a folder of idx files, or `emoji16`. */
  readonly source: string;
  /** A new or empty folder, or a file whose name ends in `.zip`. */
  readonly dest: string;
  /** Takes this many of the first images. @defaultValue all */
  readonly maxImages?: number;
  /** Told after each image. */
  readonly onProgress?: (progress: DatasetProgress) => void;
  /** Stops before the next image, with nothing left behind. */
  readonly signal?: AbortSignal;
}

/** Images done of those to do. */
export interface DatasetProgress {
  readonly done: number;
  readonly total: number;
}

/** Options of {@link convertDataset}. */
export interface ConvertOptions extends DatasetWorkOptions, TransformOptions {}

/** What became of the images. */
export interface DatasetReport {
  readonly written: number;
  /** Too small for the transform. */
  readonly skipped: number;
  /** Without a label: where there is one such image, the data set has no labels. */
  readonly unlabelled: number;
}

/**
 * Makes a data set of RGB images of one size: square PNGs whose side is a power of two, in a folder or zip archive with
 * `dataset.json`. Labels are those of the source's `dataset.json`, or its folders.
 *
 * @throws Error, one line, when an image is damaged, or images come out with other sizes; the destination is as before then.
 * @example
 * ```ts
 * const data = new Uint8Array(40 * 30 * 3);
 * for (const name of ['cat/1.png', 'dog/1.png', 'dog/2.png']) {
 *   await writeFileAtomically(`photos/${name}`, encodePng({ width: 40, height: 30, channels: 3, data }));
 * }
 * const options = { transform: 'center-crop', size: [16, 16] } as const;
 * await convertDataset({ source: 'photos', dest: 'photos.zip', ...options }); // { written: 3, skipped: 0, unlabelled: 0 }
 * ```
 */
export async function convertDataset(options: ConvertOptions): Promise<DatasetReport> {
  let first: { readonly name: string; readonly width: number } | undefined;
  return eachImage(options, async (collection, index) => {
    const name = collection.names[index]!;
    const image = transformImage(rgbRaster(await collection.read(index), name, collection.path), options);
    if (image === null) return undefined;
    requireFitting(image, name, collection.path);
    first ??= { name, width: image.width };
    if (image.width !== first.width) {
      throw new Error(
        `${collection.path}: ${name} comes out ${image.width} x ${image.height}, ${first.name} ${first.width} x ${first.width}. Images must be of one size: give --resolution, and a --transform that keeps proportions`,
      );
    }
    return { name: imageName(index, 'img*.png'), content: encodePng(image, { level: 0 }) };
  });
}

/** A file that an image becomes. */
interface Made {
  readonly name: string;
  readonly content: Uint8Array;
}

/** Writes what `make` gives of each image, with its label, and undoes all when something fails. */
export async function eachImage(
  { source, dest, maxImages = Number.POSITIVE_INFINITY, onProgress, signal }: DatasetWorkOptions,
  make: (collection: ImageCollection, index: number) => Promise<Made | undefined>,
): Promise<DatasetReport> {
  const collection = await openImageCollection(source);
  try {
    const writer = await createDataset(dest);
    try {
      const total = Math.min(collection.names.length, maxImages);
      const report = { written: 0, skipped: 0, unlabelled: 0 };
      for (let index = 0; index < total; index++) {
        signal?.throwIfAborted();
        const made = await make(collection, index);
        const label = collection.label(index);
        if (made === undefined) report.skipped++;
        else {
          await writer.add(made.name, made.content, label);
          report.written++;
          if (label === undefined) report.unlabelled++;
        }
        onProgress?.({ done: index + 1, total });
      }
      if (report.written === 0) throw new Error(`${source}: none of ${total} images is large enough`);
      await writer.finish();
      return report;
    } catch (error) {
      await writer.discard();
      throw error;
    }
  } finally {
    await collection.close();
  }
}

/** Grey becomes RGB, and what is transparent loses its transparency. */
export function rgbRaster({ channels, height, width, values }: PlanarImage, name: string, where: string): RasterImage {
  if (!(values instanceof Uint8Array) || channels > 4) {
    throw new Error(`${where}: ${name} holds ${channels} channels of numbers, not a picture`);
  }
  const plane = width * height;
  const data = new Uint8Array(3 * plane);
  for (let c = 0; c < 3; c++) {
    const from = channels >= 3 ? c * plane : 0;
    for (let i = 0; i < plane; i++) data[3 * i + c] = values[from + i]!;
  }
  return { width, height, channels: 3, data };
}

function requireFitting({ width, height }: RasterImage, name: string, where: string): void {
  const fail = (message: string): Error => new Error(`${where}: ${name} comes out ${width} x ${height}: ${message}`);
  if (width !== height) throw fail('images must be square. Give --transform center-crop and --resolution');
  if (!Number.isInteger(Math.log2(width))) throw fail('the side must be a power of two. Give --resolution');
}
