import type { RasterImage } from '@evenkeel/formats';

/** Options of {@link imageGrid}. */
export interface ImageGridOptions {
  /** 1 (grey) or 3 (RGB). Default 3. */
  readonly channels?: 1 | 3;
  /** Pictures in a row. Default: as many as make the grid about square. */
  readonly columns?: number;
  /** Pixels that one pixel becomes, in both directions. Default 1. */
  readonly scale?: number;
  /** Space between pictures, in pixels of the result. Default 0. */
  readonly gap?: number;
  /** Grey value of gaps and empty places, 0 to 255. Default 255. */
  readonly background?: number;
}

/**
 * Square pictures side by side, row by row, each pixel repeated `scale` times: ready for `encodePng`.
 *
 * @param images pixels `[C, H, H]` of each picture, 0 to 255, all of one size
 * @throws RangeError when there is no picture, sizes differ, one is not square, or an option is out of range.
 * @example
 * ```ts
 * const emoji = await loadEmoji16();
 * const images = [0, 500, 1000, 1500].map((index) => emoji.image(index));
 * const grid = imageGrid(images, { columns: 2, scale: 4, gap: 2 }); // { width: 130, height: 130, channels: 3 }
 * const png = encodePng(grid);
 * ```
 */
export function imageGrid(images: readonly Uint8Array[], options: ImageGridOptions = {}): RasterImage {
  const { channels = 3, columns = Math.ceil(Math.sqrt(images.length)), scale = 1, gap = 0, background = 255 } = options;
  const size = images[0]?.length ?? 0;
  if (size === 0) throw new RangeError('imageGrid: there is no picture');
  for (const [name, value, least] of [
    ['columns', columns, 1],
    ['scale', scale, 1],
    ['gap', gap, 0],
  ] as const) {
    if (!Number.isInteger(value) || value < least) {
      throw new RangeError(`imageGrid: ${name} is ${value}, must be a whole number of at least ${least}`);
    }
  }
  const resolution = Math.sqrt(size / channels);
  if (!Number.isInteger(resolution))
    throw new RangeError(`imageGrid: ${size} values are no square of ${channels} channels`);
  const odd = images.findIndex((image) => image.length !== size);
  if (odd !== -1)
    throw new RangeError(`imageGrid: picture ${odd} has ${images[odd]!.length} values, the first has ${size}`);

  const side = resolution * scale;
  const width = columns * (side + gap) - gap;
  const height = Math.ceil(images.length / columns) * (side + gap) - gap;
  const data = new Uint8Array(width * height * channels).fill(background);
  const plane = resolution * resolution;
  images.forEach((image, i) => {
    const [top, left] = [Math.floor(i / columns) * (side + gap), (i % columns) * (side + gap)];
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const from = Math.floor(y / scale) * resolution + Math.floor(x / scale);
        const to = ((top + y) * width + left + x) * channels;
        for (let c = 0; c < channels; c++) data[to + c] = image[c * plane + from]!;
      }
    }
  });
  return { width, height, channels, data };
}
