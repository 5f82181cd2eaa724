import type { RasterImage } from '@evenkeel/formats';
import { resizeImage } from './resize.ts';

/** Ways to make images of one size. */
export type TransformName = 'center-crop' | 'center-crop-wide' | 'center-crop-dhariwal';

/** Options of {@link transformImage}. */
export interface TransformOptions {
  /** Without, images are only resized. */
  readonly transform?: TransformName | undefined;
  /** Width and height to be reached; without, and without a transform, images stay as they are. */
  readonly size?: readonly [width: number, height: number] | undefined;
}

/**
 * Brings 8-bit RGB pixels to a size, as the EDM2 data sets were made:
 *
 * | transform | |
 * |---|---|
 * | none | resized (Lanczos), whatever becomes of proportions |
 * | `center-crop` | the largest square of the middle, resized (Lanczos) |
 * | `center-crop-wide` | rows of the middle, resized (Lanczos), black above and below up to a square; null where too small |
 * | `center-crop-dhariwal` | halved by boxes while twice the size, then resized (bicubic), then the square of the middle |
 *
 * @returns null for an image that is to be left out.
 * @throws Error when a transform lacks its size, or one that makes squares gets another.
 * @example
 * ```ts
 * const image = { width: 40, height: 30, channels: 3, data: new Uint8Array(40 * 30 * 3) } as const;
 * const square = transformImage(image, { transform: 'center-crop', size: [16, 16] }); // { width: 16, height: 16 }
 * ```
 */
export function transformImage(image: RasterImage, { transform, size }: TransformOptions): RasterImage | null {
  if (transform === undefined) return size === undefined ? image : lanczos(image, size);
  if (size === undefined) throw new Error(`transformImage: ${transform} needs a size`);
  switch (transform) {
    case 'center-crop':
      return centerCrop(image, size);
    case 'center-crop-wide':
      return centerCropWide(image, size);
    case 'center-crop-dhariwal':
      if (size[0] !== size[1])
        throw new Error(`transformImage: ${transform} makes squares, not ${size[0]} x ${size[1]}`);
      return centerCropDhariwal(image, size[0]);
  }
}

function lanczos(image: RasterImage, [width, height]: readonly [number, number]): RasterImage {
  return resizeImage(image, { width, height, filter: 'lanczos' });
}

function centerCrop(image: RasterImage, size: readonly [number, number]): RasterImage {
  const side = Math.min(image.width, image.height);
  return lanczos(middle(image, side, side), size);
}

function centerCropWide(image: RasterImage, [width, height]: readonly [number, number]): RasterImage | null {
  if (width < height) {
    throw new Error(`transformImage: center-crop-wide needs a width of at least its height, not ${width} x ${height}`);
  }
  const rows = roundHalfEven((width * image.height) / image.width);
  if (image.width < width || rows < height) return null;
  const { data } = lanczos(middle(image, image.width, rows), [width, height]);
  const canvas = new Uint8Array(width * width * image.channels);
  canvas.set(data, Math.floor((width - height) / 2) * width * image.channels);
  return { ...image, width, height: width, data: canvas };
}

function centerCropDhariwal(image: RasterImage, size: number): RasterImage {
  let halved = image;
  while (Math.min(halved.width, halved.height) >= 2 * size) {
    const [width, height] = [Math.floor(halved.width / 2), Math.floor(halved.height / 2)];
    halved = resizeImage(halved, { width, height, filter: 'box' });
  }
  const scale = size / Math.min(halved.width, halved.height);
  const [width, height] = [roundHalfEven(halved.width * scale), roundHalfEven(halved.height * scale)];
  const resized = resizeImage(halved, { width, height, filter: 'bicubic' });
  return middle(resized, size, size);
}

/** The middle of an image; where it cannot be exactly, a pixel above and left. */
function middle(image: RasterImage, width: number, height: number): RasterImage {
  const { channels, data } = image;
  const [top, left] = [Math.floor((image.height - height) / 2), Math.floor((image.width - width) / 2)];
  const cropped = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y++) {
    const start = ((top + y) * image.width + left) * channels;
    cropped.set(data.subarray(start, start + width * channels), y * width * channels);
  }
  return { ...image, width, height, data: cropped };
}

/** Halves go to the even neighbour, as in Python. */
function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}
