import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { classBalanced, loadEmoji16, splitHeldOut, subset } from '../src/data/index.ts';
import { pictureSet } from './picture-set.ts';

const emoji = await loadEmoji16();

describe('classBalanced', () => {
  test('draws every class equally often and every image of a class', () => {
    const draws = classBalanced(emoji, { seed: 3 });
    const counts = new Uint32Array(emoji.labelDim);
    const clocks = new Set<number>();
    for (let position = 0; position < 1000; position++) {
      const index = draws.at(position);
      counts[emoji.label(index)]!++;
      if (emoji.classNames[emoji.label(index)] === 'clock') clocks.add(index);
    }
    expect(counts).toEqual(new Uint32Array(10).fill(100));
    expect(clocks.size).toBe(31);
  });

  test('is a pure function of seed and position', () => {
    const positions = fc.array(fc.nat(1_000_000), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.nat(), positions, (seed, asked) => {
        const once = classBalanced(emoji, { seed });
        const again = classBalanced(emoji, { seed });
        const forward = asked.map((position) => once.at(position));
        expect(asked.toReversed().map((position) => again.at(position))).toEqual(forward.toReversed());
      }),
      { numRuns: 20 },
    );
    const first = (seed: number) => Array.from({ length: 20 }, (_, i) => classBalanced(emoji, { seed }).at(i));
    expect(first(1)).not.toEqual(first(2));
  });
});

describe('splitHeldOut', () => {
  const pictures = fc.array(fc.tuple(fc.nat(3), fc.nat(4)), { minLength: 1, maxLength: 60 }).map((pairs) =>
    pictureSet(
      pairs.map(([label]) => label),
      pairs.map(([, group]) => String(group)),
    ),
  );

  test('puts each image on one side, groups together, and both sides see every class that has two groups', () => {
    fc.assert(
      fc.property(pictures, fc.nat(), fc.double({ min: 0.01, max: 0.99, noNaN: true }), (dataset, seed, fraction) => {
        const { train, heldOut } = splitHeldOut(dataset, { seed, fraction });
        expect([...train, ...heldOut].sort((a, b) => a - b)).toEqual(
          Array.from({ length: dataset.length }, (_, i) => i),
        );
        const key = (index: number) => `${dataset.label(index)}/${dataset.group!(index)}`;
        const trained = new Set(Array.from(train, key));
        expect(Array.from(heldOut, key).filter((group) => trained.has(group))).toEqual([]);
        const classesOf = (indices: Uint32Array) => new Set(Array.from(indices, (i) => dataset.label(i)));
        for (const label of classesOf(Uint32Array.from(train))) {
          const groups = new Set([...train, ...heldOut].filter((i) => dataset.label(i) === label).map(key));
          expect(classesOf(heldOut).has(label)).toBe(groups.size > 1);
        }
        expect(classesOf(train).size).toBe(classesOf(Uint32Array.of(...train, ...heldOut)).size);
      }),
    );
  });

  test('depends on the seed alone, and holds out about the share asked for', () => {
    const split = splitHeldOut(emoji, { fraction: 0.1, seed: 5 });
    expect(splitHeldOut(emoji, { fraction: 0.1, seed: 5 })).toEqual(split);
    expect(splitHeldOut(emoji, { fraction: 0.1, seed: 6 })).not.toEqual(split);
    expect(split.heldOut.length).toBeGreaterThan(0.07 * emoji.length);
    expect(split.heldOut.length).toBeLessThan(0.13 * emoji.length);
    expect(new Set(Array.from(split.heldOut, (index) => emoji.label(index))).size).toBe(10);
  });

  test.each([0, 1, -1, NaN])('refuses the fraction %d', (fraction) => {
    expect(() => splitHeldOut(emoji, { fraction })).toThrow(
      `splitHeldOut: fraction is ${fraction}, not between 0 and 1`,
    );
  });
});

describe('subset', () => {
  test('shows the chosen images in the order given', () => {
    const chosen = subset(pictureSet([0, 1, 2, 1], ['a', 'b', 'c', 'd']), [3, 0, 3]);
    expect(chosen.length).toBe(3);
    expect([0, 1, 2].map((i) => [chosen.image(i)[0], chosen.label(i), chosen.group!(i)])).toEqual([
      [3, 1, 'd'],
      [0, 0, 'a'],
      [3, 1, 'd'],
    ]);
    expect(chosen.classNames).toHaveLength(3);
  });

  test('refuses indices that are not there', () => {
    const pictures = pictureSet([0, 0]);
    expect(() => subset(pictures, [2])).toThrow('pictures: image 2 of 2. Indices are 0 to 1');
    expect(() => subset(pictures, [1]).image(1)).toThrow('pictures: image 1 of 1. Indices are 0 to 0');
  });
});
