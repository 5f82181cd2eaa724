import type { PictureSet } from '../data/dataset.ts';

/** The image of a data set that is most like a picture. */
export interface Neighbour {
  /** Its index in the data set. */
  readonly index: number;
  /** Root mean square of the differences of all pixel values, 0 to 255: L2 distance over sqrt(C R R). */
  readonly distance: number;
}

/**
 * The nearest image, by L2 distance of pixels, for each of `pictures`. Whether a model copies what it was trained on
 * shows where the distances of its samples lie beside those of images that it has never seen.
 *
 * @param pictures pixels `[C, R, R]` of each, 0 to 255.
 * @param dataset what to look among, such as a {@link subset} of images trained on.
 * @throws RangeError when the data set is empty or a picture has another size.
 * @example
 * ```ts
 * const emoji = await loadEmoji16();
 * const picture = emoji.image(7).map((value) => Math.min(255, value + 1));
 * const [nearest] = nearestImages([picture], emoji);
 * nearest?.index; // 7
 * ```
 */
export function nearestImages(pictures: readonly Uint8Array[], dataset: PictureSet): Neighbour[] {
  if (dataset.length === 0) throw new RangeError('nearestImages: the data set is empty');
  const images = Array.from({ length: dataset.length }, (_, index) => dataset.image(index));
  const size = images[0]!.length;
  return pictures.map((picture, i) => {
    if (picture.length !== size) {
      throw new RangeError(`nearestImages: picture ${i} has ${picture.length} values, images have ${size}`);
    }
    let [nearest, least] = [0, Number.POSITIVE_INFINITY];
    for (const [index, image] of images.entries()) {
      const square = squareDistance(picture, image, least);
      if (square < least) [nearest, least] = [index, square];
    }
    return { index: nearest, distance: Math.sqrt(least / size) };
  });
}

/** Stops, with some value above it, once it is no less than `enough`. */
function squareDistance(a: Uint8Array, b: Uint8Array, enough: number): number {
  let sum = 0;
  for (let i = 0; i < a.length && sum < enough; i++) {
    const difference = a[i]! - b[i]!;
    sum += difference * difference;
  }
  return sum;
}
