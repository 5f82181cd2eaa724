import { type DeviceBuffer, Generator, type HostArray, profile, withBackend } from '@evenkeel/tensor';
import type { Contraction, Expr, Index, Plan } from '@evenkeel/tensor/kernel';
import { runOracle } from '@evenkeel/tensor/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WebgpuBackend } from '../src/index.ts';
import { Pipelines } from '../src/pipelines.ts';
import { Readback } from '../src/readback.ts';
import { tileSpeeds } from '../src/tile-speeds.ts';
import { printContraction } from '../src/wgsl/contraction/contraction.ts';
import { chooseTile, fits, sizesOf, splitsOf, tiles } from '../src/wgsl/contraction/tile.ts';
import type { DeviceTraits } from '../src/wgsl/device-traits.ts';
import type { Launch } from '../src/wgsl/printed-kernel.ts';
import { plainCard } from './card-traits.ts';
import { noDevice, openDevice, openings } from './device.ts';

const axis = (number: number, by = 1): Index => ({ kind: 'mul', left: { kind: 'axis', axis: number }, by });
const plus = (left: Index, right: Index): Index => ({ kind: 'add', left, right });
const load = (operand: number, index: Index): Expr => ({ kind: 'load', dtype: 'float32', operand, index, guards: [] });

/** C[b, m, n] = sum of A[b, m, k] B[b, k, n] + 1, each operand stored either way round. */
function product(
  batch: number,
  m: number,
  n: number,
  k: number,
  turned: { a?: boolean; b?: boolean; c?: boolean } = {},
): Contraction {
  const one: Expr = { kind: 'literal', dtype: 'float32', value: 1 };
  const sum: Expr = { kind: 'accumulator', dtype: 'float32' };
  const within = (turn: boolean | undefined, i: number, sizeI: number, j: number, sizeJ: number): Index =>
    turn ? plus(axis(j, sizeI), axis(i)) : plus(axis(i, sizeJ), axis(j));
  return {
    kind: 'contraction',
    operands: [
      { dtype: 'float32', access: 'in' },
      { dtype: 'float32', access: 'in' },
      { dtype: 'float32', access: 'out' },
    ],
    arguments: [],
    batch: [batch],
    m: [m],
    n: [n],
    k: [k],
    a: load(0, plus(axis(0, m * k), within(turned.a, 1, m, 3, k))),
    b: load(1, plus(axis(0, k * n), within(turned.b, 3, k, 2, n))),
    dtype: 'float32',
    stores: [
      {
        operand: 2,
        index: plus(axis(0, m * n), within(turned.c, 1, m, 2, n)),
        value: { kind: 'binary', dtype: 'float32', op: 'add', left: sum, right: one },
      },
    ],
  };
}

describe('tiles', () => {
  test.each([
    [[1, 4096, 4096, 4096], '128x128', 1],
    [[1, 256, 256, 65536], '64x64', 24],
    [[1, 65536, 16, 144], '128x16', 1],
    [[8, 64, 64, 64], '32x32', 1],
    [[1, 4, 4, 4], 'none', 0],
  ])('%o takes %s in %i parts', ([batch = 1, m = 1, n = 1, k = 1], name, splits) => {
    const sizes = sizesOf(product(batch, m, n, k));
    const tile = chooseTile(sizes, plainCard);
    expect(tile ? `${tile.m}x${tile.n}` : 'none').toBe(name);
    if (tile) expect(splitsOf(sizes)).toBe(splits);
  });
});

describe('programs for software', () => {
  const software = { ...plainCard, compilesSlowly: true };

  test.each([
    [1, 4096, 4096, 4096],
    [1, 65536, 16, 144],
    [8, 64, 64, 4096],
  ])('are short: %i products of %i x %i, %i terms', (batch, m, n, k) => {
    const lines = (on: DeviceTraits): number => {
      const [launch] = printContraction(product(batch, m, n, k), on).launches;
      return (launch as Launch).code.split('\n').length;
    };
    expect(lines(software)).toBeLessThan(lines(plainCard) / 3);
  });
});

describe.skipIf(noDevice)('all tiles', () => {
  let device: GPUDevice;
  beforeAll(async () => {
    device = await openDevice();
  });
  afterAll(() => device?.destroy());

  test.each([
    [70, 50, 100, {}],
    [68, 52, 100, {}],
    [68, 52, 36, { a: true, b: true, c: true }],
  ])('give the same bits: %i x %i, %i terms, %o', async (m, n, k, turned) => {
    const kernel = product(1, m, n, k, turned);
    const lengths = [m * k, k * n, m * n];
    const buffers = lengths.map((length) => device.createBuffer({ size: 4 * length, usage: 0x80 | 0x04 | 0x08 }));
    buffers.slice(0, 2).forEach((buffer, i) => {
      const values = Float32Array.from({ length: lengths[i] as number }, (_, at) => Math.sin(at * 1.7 + i));
      device.queue.writeBuffer(buffer, 0, values);
    });
    const pipelines = new Pipelines(device, undefined);
    const readback = new Readback(device);
    const results: HostArray[] = [];
    const software = { ...plainCard, compilesSlowly: true };
    const printed = [
      ...tiles.map((tile) => printContraction(kernel, plainCard, tile)),
      ...tiles.filter((tile) => fits(tile, software)).map((tile) => printContraction(kernel, software, tile)),
    ];
    for (const { launches } of printed) {
      const [launch] = launches;
      const { pipeline, layout } = await pipelines.get(launch as Launch, 'tile');
      const entries = (launch as Launch).bindings.map(({ number }, binding) => {
        return { binding, resource: { buffer: buffers[number] as GPUBuffer } };
      });
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, device.createBindGroup({ layout, entries }));
      pass.dispatchWorkgroups(...(launch as Launch).workgroups);
      pass.end();
      device.queue.submit([encoder.finish()]);
      results.push(await readback.read(buffers[2] as GPUBuffer, 'float32', m * n));
    }
    expect(results[0]?.some((value) => value !== 0)).toBe(true);
    for (const result of results) expect(result).toEqual(results[0]);
  });

  test('are measured once a device', async () => {
    const speeds = await tileSpeeds(device, 'a device', plainCard, 64);
    expect(speeds).toHaveLength(tiles.length);
    expect(Math.max(...speeds)).toBe(1);
    expect(Math.min(...speeds)).toBeGreaterThan(0);
    expect(await tileSpeeds(device, 'a device', plainCard, 64)).toBe(speeds);
  });
});

describe.skipIf(noDevice)('contractions in tiles', () => {
  const backends: WebgpuBackend[] = [];
  beforeAll(async () => {
    for (const open of Object.values(openings)) backends.push(await open());
  });
  afterAll(async () => {
    for (const backend of backends) await backend.dispose();
  });

  const turns = [{}, { a: true }, { b: true }, { c: true }, { a: true, b: true, c: true }];
  test.each([
    ...turns.map((turned) => [1, 37, 41, 50, turned] as const),
    [2, 130, 129, 17, {}] as const,
    [1, 256, 140, 9, { c: true }] as const,
    [1, 300, 5, 40, {}] as const,
    [1, 5, 300, 40, {}] as const,
    [1, 20, 30, 1100, {}] as const,
    [3, 16, 16, 600, { a: true }] as const,
    ...turns.map((turned) => [2, 36, 68, 20, turned] as const),
  ])('%i products of %i x %i, %i terms, %o: whole numbers are exact', async (batch, m, n, k, turned) => {
    const kernel = product(batch, m, n, k, turned);
    const wholes = (length: number, step: number) => Float32Array.from({ length }, (_, i) => ((i * step) % 7) - 3);
    const values = [wholes(batch * m * k, 5), wholes(batch * k * n, 3), new Float32Array(batch * m * n)];
    const plan: Plan = {
      values: values.map(({ length }, i) => ({
        dtype: 'float32',
        length,
        role: i < 2 ? 'input' : 'output',
        first: i < 2 ? -1 : 0,
        last: i < 2 ? 0 : 1,
      })),
      inputs: [0, 1],
      outputs: [2],
      steps: [{ kernel, operands: [0, 1, 2], arguments: [], flops: 0, bytes: 0 }],
      updates: [],
      argumentCount: 0,
      slots: [],
    };
    runOracle(kernel, values, []);
    for (const backend of backends) {
      const inputs = values.slice(0, 2).map(({ length }) => backend.allocate({ dtype: 'float32', length }));
      await Promise.all(inputs.map((input, i) => input.write(values[i] as Float32Array)));
      const executable = await backend.compile(plan);
      const { outputs } = backend.run(executable, { inputs, arguments: new Float64Array() });
      expect(await (outputs[0] as DeviceBuffer).read()).toEqual(values[2]);
      for (const buffer of [...inputs, ...outputs]) buffer.free();
      executable.dispose();
    }
  });

  test('profile times each step by the clock of the device', async () => {
    const random = new Generator(1);
    const work = () =>
      random
        .normal([256, 256])
        .matmul(random.normal([256, 256]))
        .data();
    const { kernels } = await withBackend(backends[0] as WebgpuBackend, () => profile(work));
    const product = kernels.find(({ kind }) => kind === 'contraction');
    expect(product?.launches).toBe(1);
    expect(product?.milliseconds).toBeGreaterThan(0);
  });
});
