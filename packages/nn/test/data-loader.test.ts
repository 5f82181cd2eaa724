import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataLoader } from '../src/data/data-loader.ts';
import type { Dataset } from '../src/data/dataset.ts';
import { classBalancedIndices, sequentialIndices, shuffledIndices } from '../src/data/index-stream.ts';
import { seededRandom } from '../src/data/seeded-random.ts';

const seeds = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, index) => start + index);
}

function identityDataset(length: number): Dataset<number[]> {
  return { length, batch: (indices) => [...indices] };
}

describe('seededRandom', () => {
  it('draws evenly below a limit that does not divide 2^32', () => {
    const random = seededRandom(1);
    const counts = [0, 0, 0, 0, 0, 0];
    for (let draw = 0; draw < 60_000; draw++) {
      const value = random.below(6);
      counts[value] = (counts[value] as number) + 1;
    }
    // Five standard deviations of a binomial with n = 60,000, p = 1/6.
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(5 * Math.sqrt((60_000 * 5) / 36));
  });

  it('tells apart seeds that differ in high or low bits', () => {
    const first = (...words: number[]) => range(0, 4).map(() => seededRandom(...words).below(2 ** 32))[0];
    const values = [[0], [1], [2 ** 32], [2 ** 40], [0, 0], [0, 1], [1, 0]].map((words) => first(...words));
    expect(new Set(values).size).toBe(values.length);
  });
});

describe('shuffledIndices', () => {
  it('each pass is a permutation', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), seeds, fc.integer({ min: 0, max: 1000 }), (length, seed, pass) => {
        const stream = shuffledIndices(length, { seed });
        const indices = range(pass * length, (pass + 1) * length).map((position) => stream.at(position));
        expect(indices.sort((a, b) => a - b)).toEqual(range(0, length));
      }),
    );
  });

  it('passes and seeds differ in order', () => {
    const order = (seed: number, pass: number) =>
      range(pass * 100, pass * 100 + 100)
        .map((position) => shuffledIndices(100, { seed }).at(position))
        .join();
    expect(new Set([order(0, 0), order(0, 1), order(1, 0), order(1, 1), order(2 ** 33, 0)]).size).toBe(5);
  });

  it('is a function of position alone, in whatever order it is asked', () => {
    fc.assert(
      fc.property(
        seeds,
        fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 1, maxLength: 20 }),
        (seed, positions) => {
          const stream = shuffledIndices(7, { seed });
          for (const position of positions) {
            expect(stream.at(position)).toBe(shuffledIndices(7, { seed }).at(position));
          }
        },
      ),
    );
  });

  it('puts every example everywhere equally often', () => {
    const counts = new Map<number, number>();
    for (let seed = 0; seed < 6000; seed++) {
      const first = shuffledIndices(6, { seed }).at(0);
      counts.set(first, (counts.get(first) ?? 0) + 1);
    }
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(5 * Math.sqrt((6000 * 5) / 36));
    expect(counts.size).toBe(6);
  });

  it('names what is not a whole number', () => {
    expect(() => shuffledIndices(0)).toThrow('shuffledIndices: length must be a whole number of at least 1, got 0');
    expect(() => shuffledIndices(3, { seed: 0.5 })).toThrow('seed must be a whole number of at least 0, got 0.5');
    expect(() => shuffledIndices(3).at(-1)).toThrow('position must be a whole number of at least 0, got -1');
  });
});

describe('classBalancedIndices', () => {
  it('draws each class once in each block, and all of a class before any again', () => {
    const labels = [0, 0, 0, 0, 0, 2, 2, 5];
    const stream = classBalancedIndices(labels, { seed: 3 });
    const draws = range(0, 30).map((position) => stream.at(position));
    for (let block = 0; block < 10; block++) {
      const classes = draws.slice(3 * block, 3 * block + 3).map((index) => labels[index]);
      expect(classes.sort()).toEqual([0, 2, 5]);
    }
    const zeros = draws.filter((index) => labels[index] === 0);
    expect(zeros.slice(0, 5).sort()).toEqual([0, 1, 2, 3, 4]);
    expect(zeros.slice(5, 10).sort()).toEqual([0, 1, 2, 3, 4]);
  });
});

describe('DataLoader', () => {
  it('resumed at any position, it draws exactly what the other would have', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 0, max: 20 }),
        seeds,
        async (length, batchSize, batches, seed) => {
          const whole = new DataLoader(identityDataset(length), { batchSize, seed });
          for (let batch = 0; batch < batches; batch++) await whole.next();
          const resumed = new DataLoader(identityDataset(length), { batchSize, seed, position: whole.position });
          for (let batch = 0; batch < 5; batch++) expect(await resumed.next()).toEqual(await whole.next());
          expect(resumed.position).toBe(whole.position);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('processes share the stream: together they draw what one would', async () => {
    const single = new DataLoader(identityDataset(10), { batchSize: 12, seed: 5 });
    const ranks = range(0, 3).map(
      (rank) => new DataLoader(identityDataset(10), { batchSize: 4, seed: 5, rank, worldSize: 3 }),
    );
    for (let step = 0; step < 4; step++) {
      const parts = await Promise.all(ranks.map((loader) => loader.next()));
      const joined = range(0, 12).map((example) => parts[example % 3]?.[Math.floor(example / 3)]);
      expect(joined).toEqual(await single.next());
    }
    expect(ranks[0]?.position).toBe(single.position);
  });

  it('takes any index stream, and none shuffled', async () => {
    const plain = new DataLoader(identityDataset(3), { batchSize: 4, shuffle: false });
    expect(await plain.next()).toEqual([0, 1, 2, 0]);
    const given = new DataLoader(identityDataset(3), { batchSize: 2, indices: sequentialIndices(2) });
    expect(await given.next()).toEqual([0, 1]);
    const batches: number[][] = [];
    for await (const batch of plain) {
      batches.push(batch);
      if (batches.length === 2) break;
    }
    expect(batches).toEqual([
      [1, 2, 0, 1],
      [2, 0, 1, 2],
    ]);
  });

  it('refuses what makes no batches', () => {
    expect(() => new DataLoader(identityDataset(0), { batchSize: 1 })).toThrow('DataLoader: the data set is empty');
    expect(() => new DataLoader(identityDataset(3), { batchSize: 0 })).toThrow('batchSize must be a whole number');
    expect(() => new DataLoader(identityDataset(3), { batchSize: 1, rank: 2, worldSize: 2 })).toThrow(
      'DataLoader: rank must be below worldSize 2, got 2',
    );
  });
});
