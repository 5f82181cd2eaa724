import { checkedIndex, type ImageDataset, type ImageValues } from '../../data/dataset.ts';
import type { FileSource } from './file-source.ts';
import { isImageName, type PlanarImage, readImageFile } from './image-file.ts';
import { labelTable, readLabelFile } from './label-file.ts';

/**
 * The images of a folder or zip archive, each read when it is asked for; labels are those of `dataset.json`.
 *
 * @throws Error, one line, when there are no images, the first is not square, or labels do not go with the images.
 */
export async function fileDataset(source: FileSource, useLabels: boolean): Promise<ImageDataset> {
  const { path } = source;
  const names = source.names.filter(isImageName);
  if (names.length === 0) throw new Error(`${path}: holds no images (png, npy, jpg, webp, ...)`);
  const read = async (name: string) => readImageFile(await source.read(name), name, path);
  const first = await read(names[0]!);
  if (first.height !== first.width) {
    throw new Error(
      `${path}: ${names[0]} is ${first.width} x ${first.height} pixels, and images must be square. Crop them: edm2 dataset convert --transform center-crop`,
    );
  }
  const labels = useLabels ? await labelsOf(source, names) : undefined;
  const dataset = { name: path.split(/[\\/]/).findLast((part) => part !== '') ?? path, length: names.length };
  const at = (index: number) => checkedIndex(dataset, index);
  return {
    ...dataset,
    channels: first.channels,
    resolution: first.height,
    labelDim: labels?.labelDim ?? 0,
    async image(index): Promise<ImageValues> {
      const name = names[at(index)]!;
      const image = await read(name);
      if (showSize(image) !== showSize(first)) {
        throw new Error(
          `${path}: ${name} is ${showSize(image)}, the first image ${showSize(first)}. All must be of one size`,
        );
      }
      return image.values;
    },
    ...(labels && { label: (index: number) => labels.label(at(index)) }),
  };
}

async function labelsOf(source: FileSource, names: readonly string[]) {
  if (!source.names.includes('dataset.json')) return undefined;
  const labels = readLabelFile(await source.read('dataset.json'), source.path);
  return labels === null ? undefined : labelTable(names, labels, source.path);
}

function showSize({ channels, height, width, values }: PlanarImage): string {
  return `${channels} x ${height} x ${width} (${values instanceof Uint8Array ? 'pixels' : 'floats'})`;
}
