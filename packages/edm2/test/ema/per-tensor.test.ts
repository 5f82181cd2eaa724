import type { HostArray } from '@evenkeel/formats';
import { expect, test } from 'vitest';
import { reconstruct, stdOfTensor } from '../../src/ema/index.ts';

const names = ['enc.weight', 'enc.gain', 'dec.weight', 'dec.gain'];
const snapshots = [1, 2, 3, 4, 5, 6, 7, 8].flatMap((images) =>
  [0.05, 0.1].map((std) => ({
    images,
    std,
    load: () =>
      new Map(
        names.map((name, i): [string, HostArray] => [
          name,
          { dtype: 'float64', shape: [1], data: Float64Array.of(Math.sin(images * 3 + std * 50 + i)) },
        ]),
      ),
  })),
);
const made = async (std: Parameters<typeof stdOfTensor>[0]) => {
  const [values] = await reconstruct(snapshots, [{ images: 8, std }]);
  return names.map((name) => values!.get(name)!.data[0] as number);
};

test('one tensor’s length is varied alone, by pattern or by function', async () => {
  const [at07, at15] = [await made(0.07), await made(0.15)];
  const alone = [at07[0], at07[1], at15[2], at07[3]];
  expect(
    await made([
      ['dec.weight', 0.15],
      [/./, 0.07],
    ]),
  ).toEqual(alone);
  expect(await made((name) => (name === 'dec.weight' ? 0.15 : 0.07))).toEqual(alone);
  expect(
    await made([
      [/gain$/, 0.15],
      [/./g, 0.07],
    ]),
  ).toEqual([at07[0], at15[1], at07[2], at15[3]]);
});

test('a tensor that no pattern fits is an error, and a length that is none before anything is read', async () => {
  await expect(made([[/weight$/, 0.1]])).rejects.toThrow(/no pattern fits enc\.gain\. End the list/);
  let loads = 0;
  const counted = snapshots.map((snapshot) => ({
    ...snapshot,
    load() {
      loads++;
      return snapshot.load();
    },
  }));
  await expect(reconstruct(counted, [{ images: 8, std: [[/./, 0.5]] }])).rejects.toThrow(/must be above 0/);
  expect(loads).toBe(0);
});

test('the first pattern that fits counts; a string fits its name alone', () => {
  const lengths = [
    ['gain', 0.1],
    [/gain/, 0.2],
    [/./, 0.05],
  ] as const;
  expect(['gain', 'out.gain', 'weight'].map((name) => stdOfTensor(lengths, name))).toEqual([0.1, 0.2, 0.05]);
});
