import { describe, expect, test } from 'vitest';
import { fileNameOf, kindOf } from '../src/gpu/adapter.ts';
import { gpuCandidates } from '../src/gpu/candidates.ts';
import { parseOptions } from '../src/options.ts';
import { gpuGoals, isGpuGoalReached } from '../src/report/gpu-goals.ts';
import { withGpuFigures } from '../src/report/performance-page.ts';
import type { Result, ResultFile } from '../src/results.ts';
import { gpuCatalog } from '../src/work/gpu-catalog.ts';
import { figureOf } from '../src/work/work.ts';

const card = 'nvidia nvidia-h200 NVIDIA: 580.159.04 580.159.4.0';
const software = 'google swiftshader SwiftShader driver 5.0.0';

function result(work: string, implementation: string, median: number, rest: Partial<Result> = {}): Result {
  const spread = { p10: 0.9 * median, p90: 1.1 * median, samples: 9 };
  return { work, implementation, threads: 1, unit: 'GFLOP/s', median, ...spread, device: card, ...rest };
}

function file(results: readonly Result[]): ResultFile {
  const implementations = { 'evenkeel-webgpu': { node: 'v20.0.0', device: card } };
  const machine = { cpu: 'abacus', cores: 2, vectors: [], memoryGiB: 8, platform: 'linux x64', node: 'v20', v8: '11' };
  return { commands: ['npm run bench -- --gpu'], machine: { ...machine, implementations }, results };
}

test('a device in software is told from a card, and a name makes a file name', () => {
  expect(kindOf(card)).toBe('card');
  expect(kindOf(software)).toBe('software');
  expect(kindOf('llvmpipe (LLVM 15.0.6, 256 bits)')).toBe('software');
  expect(fileNameOf(card)).toBe('nvidia-h200');
  expect(fileNameOf(software)).toBe('google-swiftshader-driver');
});

test.each(['card', 'software'] as const)(
  'works for a %s have names of their own and as many results as inputs ask',
  (kind) => {
    const works = gpuCatalog(kind);
    expect(new Set(works.map(({ name }) => name)).size).toBe(works.length);
    for (const { amount, results } of works) {
      expect(amount).toBeGreaterThan(0);
      expect(results.every((length) => length > 0)).toBe(true);
    }
  },
);

test('what matters most of a card is measured first', () => {
  expect(
    gpuCatalog('card')
      .slice(0, 4)
      .map(({ name }) => name),
  ).toEqual(['sgemm-4096', 'edm2-host-time-per-kernel', 'copy', 'mp-silu-sum']);
});

test('times are shared by the launches of a run, rates are those of all of it', () => {
  expect(figureOf({ unit: 'µs', amount: 100 }, 2)).toBe(20);
  expect(figureOf({ unit: 'steps/s', amount: 4 }, 500)).toBe(8);
  expect(figureOf({ unit: 'ms', amount: 1 }, 7)).toBe(7);
});

describe('candidates', () => {
  const places = { bench: '/nowhere', programs: '/nowhere/dist' };

  test('pages only where a browser is asked for, plug-ins as asked for', () => {
    const names = (...options: string[]) =>
      gpuCandidates(parseOptions(['--gpu', '--peers', 'none', ...options]), places).found.map(({ name }) => name);
    expect(names()).toEqual(['evenkeel-webgpu', 'evenkeel-gpujs']);
    expect(names('--plugins', 'gpujs', '--browser')).toEqual(['evenkeel-gpujs', 'evenkeel-gpujs-webgl2-chromium']);
    expect(() => names('--plugins', 'cuda')).toThrow(/names none of webgpu, gpujs/);
  });

  test('who is not installed is skipped with a reason, who is unknown is refused', () => {
    const { found, skipped } = gpuCandidates(parseOptions(['--gpu', '--peers', 'jax-js-webgpu']), places);
    expect(found.map(({ name }) => name)).not.toContain('jax-js-webgpu');
    expect(skipped).toEqual(['jax-js-webgpu is skipped: @jax-js/jax could not be installed']);
    expect(() => gpuCandidates(parseOptions(['--gpu', '--peers', 'numpy']), places)).toThrow(
      /no peer is called 'numpy'/,
    );
  });
});

describe('the section of graphics cards', () => {
  const page = `# Title\n\n<!-- figures of graphics cards: written by \`npm run bench -- --gpu --record\` -->\nold\n<!-- end of figures of graphics cards -->\n\nMore.\n`;
  const onCard = file([
    result('sgemm-4096', 'evenkeel-webgpu', 26_800, { byDevice: 33_500 }),
    result('sgemm-4096', 'pytorch-cuda', 50_000),
    result('edm2-host-time-per-kernel', 'evenkeel-webgpu', 20, { unit: 'µs', note: '300 kernels a step' }),
    result('copy', 'webgpu-copy', 2000, { unit: 'GB/s' }),
    result('mp-silu-sum', 'evenkeel-webgpu', 1700, { unit: 'GB/s', byDevice: 1800 }),
  ]);
  const inSoftware = file([result('sgemm-512', 'evenkeel-webgpu', 2, { device: software })]);

  test('has a part for each device, cards first, again and again the same', () => {
    const written = withGpuFigures(page, [inSoftware, onCard]);
    expect(written).not.toContain('old');
    expect(written.indexOf(`### ${card}`)).toBeLessThan(written.indexOf(`### ${software}`));
    expect(written).toContain('A processor plays this device');
    expect(withGpuFigures(written, [onCard, inSoftware])).toBe(written);
    expect(written).toContain('| sgemm-4096, GFLOP/s | 33500 | 26800 | 50000 (1.87x) |');
    expect(written).toContain('| edm2-host-time-per-kernel, µs (300 kernels a step) |');
    expect(written).not.toMatch(/NaN|undefined/);
  });

  test('says what was wanted of a card and what was reached, by both clocks', () => {
    const written = withGpuFigures(page, [onCard]);
    expect(written).toContain('| product of 4096 x 4096, float32 | 20 TFLOP/s | ✓ 26.8 TFLOP/s | ✓ 33.5 TFLOP/s |');
    expect(written).toContain("| the same, share of the card's float32 peak |  | 0.40 | 0.50 |");
    expect(written).toContain('| the same, share of cuBLAS without TF32 | 0.50 | ✓ 0.54 | ✓ 0.67 |');
    expect(written).toContain('share of copy bandwidth | 0.80 | ✓ 0.85 | ✓ 0.90 |');
    expect(written).toContain('| at most 15 µs | ✗ 20 µs |  |');
  });

  test('goals of what was not measured are open', () => {
    for (const goal of gpuGoals) expect(goal.measure([], ({ median }) => median)).toBeUndefined();
    const [goal] = gpuGoals;
    expect(goal && isGpuGoalReached(goal, 19.9)).toBe(false);
  });
});
