import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PictureSet } from '../src/data/index.ts';
import { agreement } from '../src/metrics/agreement.ts';
import { nearestImages } from '../src/metrics/nearest.ts';

/** Grey pictures of 2 x 2 pixels. */
function greyPictures(images: readonly Uint8Array[]): PictureSet {
  return {
    name: 'grey',
    length: images.length,
    channels: 1,
    resolution: 2,
    labelDim: 1,
    classNames: ['all'],
    image: (index) => images[index]!,
    label: () => 0,
  };
}

const pixels = fc.uint8Array({ minLength: 4, maxLength: 4 });

describe('nearestImages', () => {
  test('finds what looking at all of them finds', () => {
    fc.assert(
      fc.property(fc.array(pixels, { minLength: 1, maxLength: 8 }), pixels, (images, picture) => {
        const distances = images.map((image) =>
          Math.sqrt(image.reduce((sum, value, i) => sum + (value - picture[i]!) ** 2, 0) / 4),
        );
        const [found] = nearestImages([picture], greyPictures(images));
        expect(found!.distance).toBeCloseTo(Math.min(...distances), 10);
        expect(found!.index).toBe(distances.indexOf(Math.min(...distances)));
      }),
    );
  });

  test('a copy is at distance 0, white at 255 from black', () => {
    const [black, white] = [new Uint8Array(4), new Uint8Array(4).fill(255)];
    expect(nearestImages([white, black], greyPictures([black]))).toEqual([
      { index: 0, distance: 255 },
      { index: 0, distance: 0 },
    ]);
  });

  test('refuses an empty data set and pictures of another size', () => {
    expect(() => nearestImages([new Uint8Array(4)], greyPictures([]))).toThrow('nearestImages: the data set is empty');
    expect(() => nearestImages([new Uint8Array(3)], greyPictures([new Uint8Array(4)]))).toThrow(
      'nearestImages: picture 0 has 3 values, images have 4',
    );
  });
});

describe('agreement', () => {
  test('counts over all, for each class, and classes evenly', () => {
    expect(agreement([0, 1, 1, 0], [0, 1, 0, 0], ['cat', 'dog', 'fox'])).toEqual({
      overall: 3 / 4,
      classMean: (2 / 3 + 1) / 2,
      classes: { cat: 2 / 3, dog: 1 },
    });
  });

  test('refuses what cannot be compared', () => {
    expect(() => agreement([], [], ['cat'])).toThrow('agreement: 0 guesses for 0 labels');
    expect(() => agreement([0], [0, 1], ['cat'])).toThrow('agreement: 1 guesses for 2 labels');
    expect(() => agreement([0], [1], ['cat'])).toThrow('agreement: label 1 has no name');
  });
});
