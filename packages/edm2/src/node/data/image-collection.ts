import { type ImageDataset, loadEmoji16 } from '../../data/index.ts';
import { type FileSource, openFileSource } from './file-source.ts';
import { findIdxFiles, openIdx } from './idx.ts';
import { isImageName, type PlanarImage, readImageFile } from './image-file.ts';
import { type Label, readLabelFile } from './label-file.ts';

/** Images of any size and kind, as they are found, with the labels that can be made out. */
export interface ImageCollection {
  readonly path: string;
  /** Names of images, sorted where they are files. */
  readonly names: readonly string[];
  read(index: number): Promise<PlanarImage>;
  label(index: number): Label | undefined;
  close(): Promise<void>;
}

/**
 * Opens whatever holds images: a folder, a zip archive, idx files, or `emoji16`. Labels are those of `dataset.json`; without
 * one, the folders at the top are the classes, in the order of their names, if there are two or more.
 *
 * @throws Error, one line, when there is nothing there, or no images.
 */
export async function openImageCollection(pathOrName: string): Promise<ImageCollection> {
  if (pathOrName === 'emoji16') return fromDataset(pathOrName, await loadEmoji16());
  const idx = await findIdxFiles(pathOrName, 'train');
  if (idx !== undefined) return fromDataset(pathOrName, await openIdx(pathOrName, idx, true));
  const source = await openFileSource(pathOrName);
  try {
    return await fromFiles(source);
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function fromFiles(source: FileSource): Promise<ImageCollection> {
  const { path } = source;
  const names = source.names.filter(isImageName);
  if (names.length === 0) throw new Error(`${path}: holds no images (png, npy, jpg, webp, ...)`);
  const given = source.names.includes('dataset.json')
    ? readLabelFile(await source.read('dataset.json'), path)
    : undefined;
  const labels = given === undefined ? labelsByFolder(names) : (given ?? new Map<string, Label>());
  return {
    path,
    names,
    read: async (index) => readImageFile(await source.read(names[index]!), names[index]!, path),
    label: (index) => labels.get(names[index]!),
    close: () => source.close(),
  };
}

function labelsByFolder(names: readonly string[]): ReadonlyMap<string, Label> {
  const folderOf = (name: string) => (name.includes('/') ? name.slice(0, name.indexOf('/')) : '');
  const folders = [...new Set(names.map(folderOf))].sort();
  if (folders.length < 2) return new Map();
  return new Map(names.map((name) => [name, folders.indexOf(folderOf(name))]));
}

function fromDataset(path: string, dataset: ImageDataset): ImageCollection {
  const { channels, resolution } = dataset;
  return {
    path,
    names: Array.from({ length: dataset.length }, (_, index) => `image ${index}`),
    read: async (index) => ({ channels, height: resolution, width: resolution, values: await dataset.image(index) }),
    label: (index) => dataset.label?.(index) as number | undefined,
    close: async () => {},
  };
}
