import { createJsBackend, realize, setDevelopmentMode, tensor, withBackend } from '@evenkeel/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WebgpuBackend } from '../src/index.ts';
import { rowModeOf } from '../src/wgsl/row-mode.ts';
import { plainCard } from './card-traits.ts';
import { noDevice, openBackend, openDevice } from './device.ts';

const ways = ['in subgroups', 'without subgroups'] as const;

describe.skipIf(noDevice).each(ways)('rows that threads share, %s', (way) => {
  let backend: WebgpuBackend;
  let device: GPUDevice | undefined;
  beforeAll(async () => {
    setDevelopmentMode(false); // every case is a plan of its own
    if (way === 'without subgroups') device = await openDevice();
    backend = await openBackend(device ? { device } : {});
  });
  afterAll(async () => {
    setDevelopmentMode(true);
    await backend?.dispose();
    device?.destroy();
  });

  /** Sums of squares less a maximum, scaled by it at every element; whole numbers, so that every order gives the same. */
  function program(rows: number, elements: number) {
    const values = Float32Array.from({ length: rows * elements }, (_, i) => ((i * 31) % 7) - 3);
    const x = tensor(values, { shape: [rows, elements] });
    const largest = x.max(1, { keepAxes: true });
    const shifted = x.sub(largest);
    return [shifted.square().sum(1), shifted.mul(shifted.min(1, { keepAxes: true })), x.argmax(1)] as const;
  }

  test.each([
    [5, 100],
    [37, 60],
    [16, 512],
    [7, 1111],
    [1, 4096],
    [1, 20_001],
    [3, 9000],
    [70, 2100],
  ])('%i rows of %i', async (rows, elements) => {
    const run = async () => {
      const results = program(rows, elements);
      await realize(...results);
      const values = await Promise.all(results.map((result) => result.data()));
      for (const result of results) result.dispose();
      return values;
    };
    const got = await withBackend(backend, run);
    expect(got).toEqual(await withBackend(createJsBackend(), run));
  });

  test.each([
    [100, 64],
    [40, 33],
    [65, 1, 70, 3],
  ])('neighbours in memory: sums over the first of %i x %i ...', async (...shape) => {
    const run = async () => {
      const values = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => ((i * 31) % 7) - 3);
      const x = tensor(values, { shape });
      const centred = x.sub(x.max(0, { keepAxes: true }));
      return Promise.all([centred.square().sum(0), centred.mul(2), x.argmin(0)].map((result) => result.data()));
    };
    expect(await withBackend(backend, run)).toEqual(await withBackend(createJsBackend(), run));
  });
});

describe('rows that several workgroups share', () => {
  test('are those of few rows and many elements', () => {
    const kernel = { kind: 'row', operands: [], arguments: [], outer: [1], inner: [2 ** 20], stages: [] } as const;
    expect(rowModeOf(kernel, plainCard)).toEqual({ kind: 'split', threads: 256, chunks: 256, length: 4096 });
    expect(rowModeOf({ ...kernel, outer: [512] }, plainCard)).toEqual({ kind: 'group', threads: 256 });
    expect(rowModeOf({ ...kernel, inner: [20] }, plainCard)).toEqual({ kind: 'thread', threads: 64 });
    expect(rowModeOf({ ...kernel, inner: [200] }, plainCard)).toEqual({ kind: 'team', rows: 8, threads: 128 });
  });
});
