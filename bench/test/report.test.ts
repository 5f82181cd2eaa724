import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { interleave } from '../src/measure/interleave.ts';
import { geometricMean, summarize } from '../src/measure/statistics.ts';
import { speedChart } from '../src/report/chart.ts';
import { goals, isReached } from '../src/report/goals.ts';
import { withFigures } from '../src/report/performance-page.ts';
import { ratioOf } from '../src/report/ratio.ts';
import { type Result, type ResultFile, writeResults } from '../src/results.ts';

function result(work: string, implementation: string, median: number, rest: Partial<Result> = {}): Result {
  const spread = { p10: 0.9 * median, p90: 1.1 * median, samples: 9 };
  return { work, implementation, threads: 1, unit: 'GFLOP/s', median, ...spread, ...rest };
}

const figures: ResultFile = {
  commands: ['npm run bench -- --record'],
  machine: {
    cpu: 'abacus',
    cores: 2,
    vectors: ['avx2'],
    memoryGiB: 8,
    platform: 'linux x64',
    node: 'v20.0.0',
    v8: '11',
    implementations: {
      pytorch: { version: '1' },
      evenkeel: { node: 'v20.0.0', v8: '11', instructions: 'relaxed' },
      'evenkeel-node24': { node: 'v24.0.0', v8: '13', instructions: 'wide' },
    },
  },
  results: [
    result('sgemm-512', 'evenkeel', 40),
    result('sgemm-512', 'evenkeel-node24', 80),
    result('sgemm-512', 'openblas', 100),
    result('sgemm-1024', 'evenkeel', 40),
    result('sgemm-1024', 'openblas', 80),
    result('conv3x3-a-forward', 'evenkeel', 50),
    result('conv3x3-a-forward', 'pytorch', 100),
    result('edm2-train-step', 'evenkeel', 200, { unit: 'ms', threads: 2 }),
    result('edm2-train-step', 'pytorch', 100, { unit: 'ms', threads: 2 }),
  ],
};

describe('statistics', () => {
  test('quantiles stand between ranks', () => {
    expect(summarize([4, 1, 3, 2, 5])).toEqual({ median: 3, p10: 1.4, p90: 4.6 });
    expect(summarize([7])).toEqual({ median: 7, p10: 7, p90: 7 });
    expect(() => summarize([])).toThrow('no samples');
    expect(geometricMean([1, 4])).toBeCloseTo(2, 12);
  });

  test('of times less is better, of rates more', () => {
    expect(ratioOf(result('a', 'x', 10), result('a', 'y', 5))).toBe(2);
    expect(ratioOf(result('a', 'x', 10, { unit: 'ms' }), result('a', 'y', 5, { unit: 'ms' }))).toBe(0.5);
  });
});

test('measurements take turns, in an order that turns round; who is slow gets fewer', async () => {
  const order: string[] = [];
  let clock = 0;
  const one = (name: string, takes: number) => ({
    async measure() {
      order.push(name);
      clock += takes;
      return [takes];
    },
  });
  const [quick, slow] = [one('quick', 1), one('slow', 30)];
  const samples = await interleave([quick, slow], { rounds: 3, slice: 1, longest: 20 }, () => clock);
  expect(order).toEqual(['quick', 'slow', 'quick', 'quick']);
  expect(samples.get(slow)).toEqual([30]);
  expect(samples.get(quick)).toEqual([1, 1, 1]);
});

test('figures replace those of the same work on as many threads, and no others', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'evenkeel-results-'));
  const file = join(folder, 'figures.json');
  const order = ['sgemm-512', 'add'];
  const write = (...results: Result[]) => writeResults(file, { ...figures, results }, order);
  try {
    await write(result('add', 'evenkeel', 1), result('add', 'evenkeel', 2, { threads: 2 }));
    await write(result('add', 'pytorch', 3), result('sgemm-512', 'evenkeel', 4, { threads: 2 }));
    const { results } = await write(result('sgemm-512', 'evenkeel', 5));
    expect(results.map(({ work, threads, median }) => `${work} ${threads}: ${median}`)).toEqual([
      'sgemm-512 1: 5',
      'sgemm-512 2: 4',
      'add 1: 3',
      'add 2: 2',
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

describe('the page', () => {
  const page = `# Title\n\n<!-- figures: written by \`npm run bench -- --record\` -->\nold\n<!-- end of figures -->\n\nMore.\n`;

  test('gets figures between its marks, again and again the same', () => {
    const written = withFigures(page, figures);
    expect(written).toMatch(/^# Title\n/);
    expect(written).toMatch(/\n\nMore\.\n$/);
    expect(written).not.toContain('old');
    expect(withFigures(written, figures)).toBe(written);
    expect(written).toContain('| | evenkeel | evenkeel-node24 | openblas |');
    expect(written).toContain('| sgemm-512 | 40 | 80 (2.00x) | 100 (2.50x) |');
    // The mean of 0.4 and 0.5; 0.8 of 0.9.
    expect(written).toContain('| 0.90 / 0.40 | ✓ 0.45 (0.40) | ✗ 0.80 |');
    expect(written).toContain('| 1.2x / 0.6x | ✗ 0.5x | – |');
    expect(written).not.toMatch(/NaN|undefined/);
  });

  test('must have a place for them', () => {
    expect(() => withFigures('# Title\n', figures)).toThrow(/has no place for figures/);
  });

  test('goals: a mean is not reached where a part is far below', () => {
    expect(isReached('times', 1, { value: 1.2, least: 0.7 })).toBe(false);
    expect(isReached('times', 1, { value: 1.2, least: 0.8 })).toBe(true);
    expect(isReached('ms', 3, { value: 2.9 })).toBe(true);
    expect(isReached('ms', 3, { value: 3.1 })).toBe(false);
    expect(goals.every(({ measure }) => measure([], 'evenkeel') === undefined)).toBe(true);
  });
});

test('the chart has a bar for each group and library, and no strange numbers', () => {
  const chart = speedChart(figures.results, 'Speed');
  expect(chart).toMatch(/^<svg [\s\S]*<\/svg>\s*$/);
  expect(chart).toContain('conv 3x3 forward');
  expect(chart).toContain('EDM2 training step');
  expect(chart.match(/>0\.50</g)).toHaveLength(2);
  expect(chart).not.toMatch(/NaN|Infinity|undefined/);
});
