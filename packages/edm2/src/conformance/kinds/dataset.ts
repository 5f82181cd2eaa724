import type { RasterImage } from '@evenkeel/formats';
import { labelRows } from '../../data/labels.ts';
import { type TransformOptions, transformImage } from '../../data/transform/transform.ts';
import { type OpenImageDatasetOptions, openImageDataset } from '../../node/data/open.ts';
import type { CaseRunner, Computed, HostNumbers, ReferenceCase } from '../reference-case.ts';

/** Images brought to a size; `dhariwal_up` is of the small image, all others of the large one, or of what config names. */
export const datasetTransform: CaseRunner = async (reference) => {
  const side = reference.number('resolution');
  const pair = (key: string) => reference.list(key) as readonly [number, number];
  const results: Computed = new Map();
  for (const name of reference.names('out')) {
    results.set(`out/${name}`, await transformed(reference, name, { side, pair }));
  }
  return results;
};

interface Sizes {
  readonly side: number;
  readonly pair: (key: string) => readonly [number, number];
}

async function transformed(reference: ReferenceCase, name: string, { side, pair }: Sizes): Promise<HostNumbers> {
  const table: Record<string, [source: string, options: () => TransformOptions]> = {
    scale_none: ['image', () => ({ size: pair('scale_none') })],
    center_crop: ['image', () => ({ transform: 'center-crop', size: [side, side] })],
    dhariwal: ['image', () => ({ transform: 'center-crop-dhariwal', size: [side, side] })],
    dhariwal_up: ['small', () => ({ transform: 'center-crop-dhariwal', size: [side, side] })],
    center_crop_wide: [
      reference.string('wide_source', 'image'),
      () => ({ transform: 'center-crop-wide', size: pair('center_crop_wide') }),
    ],
  };
  const entry = table[name];
  if (entry === undefined) throw new Error(`out/${name} is no transform that is known`);
  const [source, options] = entry;
  const image = transformImage(await raster(reference, source), options());
  if (image === null) throw new Error(`in/${source} is too small for ${name}`);
  return { shape: [image.height, image.width, image.channels], data: image.data };
}

async function raster(reference: ReferenceCase, name: string): Promise<RasterImage> {
  const { shape, data } = await reference.numbers(name);
  const [height, width, channels] = shape as [number, number, RasterImage['channels']];
  return { height, width, channels, data: Uint8Array.from(data as ArrayLike<number>) };
}

/** A zip data set as it is opened, and with its images mirrored behind. */
export const datasetZip: CaseRunner = async (reference) => {
  const path = reference.path();
  const [plain, mirrored] = [await opened(path), await opened(path, { xflip: true })];
  return new Map<string, HostNumbers>([
    ['out/images', plain.images],
    ['out/labels', plain.labels],
    ['out/xflip_images', mirrored.images],
  ]);
};

async function opened(path: string, options: OpenImageDatasetOptions = {}) {
  await using dataset = await openImageDataset(path, options);
  const { length, channels, resolution, labelDim } = dataset;
  const indices = Array.from({ length }, (_, index) => index);
  const images = await Promise.all(indices.map((index) => dataset.image(index)));
  const data = images.flatMap((image) => [...image]);
  return {
    images: { shape: [length, channels, resolution, resolution], data },
    labels: { shape: [length, labelDim], data: labelRows(dataset, indices) },
  };
}
