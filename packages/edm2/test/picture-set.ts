import type { PictureSet } from '../src/data/index.ts';

/** A data set of 1x1 grey pictures with these labels, and groups where they are given; picture i has the grey value i. */
export function pictureSet(labels: readonly number[], groups?: readonly string[]): PictureSet {
  return {
    name: 'pictures',
    length: labels.length,
    channels: 1,
    resolution: 1,
    labelDim: Math.max(...labels) + 1,
    classNames: Array.from({ length: Math.max(...labels) + 1 }, (_, label) => `class ${label}`),
    image: (index) => new Uint8Array([index]),
    label: (index) => labels[index]!,
    ...(groups === undefined ? {} : { group: (index: number) => groups[index]! }),
  };
}
