/** RGB pictures, 0 to 255. */
export interface PixelBatch {
  readonly shape: readonly [count: number, channels: 3, height: number, width: number];
  readonly data: Uint8Array;
}

/** What turns pictures into the numbers that metrics compare. */
export interface FeatureExtractor {
  /** `inception`, `dinov2` or `emoji16`. */
  readonly name: string;
  /** Numbers of a picture. */
  readonly featureDim: number;
  /** `[N, featureDim]`, row by row. */
  features(pixels: PixelBatch): Promise<Float32Array>;
}

/**
 * Pictures as one batch in RGB: those of one channel are repeated in all three.
 *
 * @param pictures pixels `[C, R, R]` of each, 0 to 255.
 * @throws RangeError when there is none, sizes differ, or pictures have neither 3 channels nor 1.
 * @example
 * ```ts
 * pixelBatch([new Uint8Array(4).fill(7)], 1).shape; // [1, 3, 2, 2]
 * ```
 */
export function pixelBatch(pictures: readonly Uint8Array[], channels: number): PixelBatch {
  const size = pictures[0]?.length ?? 0;
  const side = Math.sqrt(size / channels);
  if (!(size > 0 && Number.isInteger(side)) || (channels !== 1 && channels !== 3)) {
    throw new RangeError(`pixelBatch: ${size} values are no square picture of ${channels} channels, grey or RGB`);
  }
  const odd = pictures.findIndex((picture) => picture.length !== size);
  if (odd !== -1)
    throw new RangeError(`pixelBatch: picture ${odd} has ${pictures[odd]!.length} values, others ${size}`);
  const whole = 3 * side * side;
  const data = new Uint8Array(pictures.length * whole);
  pictures.forEach((picture, i) => {
    for (let copy = 0; copy < 3 / channels; copy++) data.set(picture, i * whole + copy * size);
  });
  return { shape: [pictures.length, 3, side, side], data };
}
