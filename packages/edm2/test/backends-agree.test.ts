import { wasm } from '@evenkeel/backend-wasm';
import { type Backend, createJsBackend, Generator, oneHot, tensor, withBackend } from '@evenkeel/tensor';
import type { Kernel } from '@evenkeel/tensor/kernel';
import { describe, expect, test } from 'vitest';
import { noWebgpu, openBackend as openGpujs } from '../../backend-gpujs/test/backends.ts';
import { noDevice, openBackend } from '../../backend-webgpu/test/device.ts';
import { type Batch, Trainer } from '../src/index.ts';
import { tinyNetwork } from './tiny-network.ts';

interface Trained {
  readonly losses: readonly number[];
  /** What training has changed of all weights, one after the other. */
  readonly changes: readonly number[];
}

/** A network with every kind of layer, its 3x3 convolutions wide enough for Winograd; and the smallest of its kind. */
const networks = {
  wide: { imgResolution: 8, modelChannels: 16, attnResolutions: [4] },
  small: { imgResolution: 8, modelChannels: 4, attnResolutions: [8], numBlocks: 1 },
} satisfies Record<string, Parameters<typeof tinyNetwork>[0]>;

/** A few steps. */
async function train(backend: Backend, network: keyof typeof networks): Promise<Trained> {
  return withBackend(backend, async () => {
    using net = tinyNetwork(networks[network]);
    const weights = async (): Promise<number[]> => {
      const all: number[] = [];
      for (const [, value] of net.stateDict()) all.push(...(await value.data()));
      return all;
    };
    let seed = 0;
    const next = async (): Promise<Batch> => {
      const random = new Generator(seed++);
      const labels = tensor(Int32Array.from({ length: 8 }, (_, i) => i % 3));
      const images = random.normal([8, 2, 8, 8]).mul(0.5);
      return { images, labels: oneHot(labels, 3) };
    };
    using trainer = new Trainer(
      net,
      { next },
      { batchSize: 8, learningRate: { referenceRate: 0.02, rampupImages: 0 } },
    );
    const before = await weights();
    const losses: number[] = [];
    for (let step = 0; step < 3; step++) losses.push(await (await trainer.step()).loss.item());
    const after = await weights();
    return { losses, changes: after.map((value, i) => value - (before[i] as number)) };
  });
}

/** The length of the difference over the length of what is expected. */
function distance(values: readonly number[], expected: readonly number[]): number {
  const length = (all: readonly number[]): number => Math.sqrt(all.reduce((sum, x) => sum + x * x, 0));
  return length(values.map((value, i) => value - (expected[i] as number))) / length(expected);
}

describe('the same training run as on plain JavaScript, to rounding', () => {
  async function agrees(backend: Backend, network: keyof typeof networks): Promise<void> {
    const expected = await train(createJsBackend(), network);
    expect(expected.losses.every(Number.isFinite)).toBe(true);
    const { losses, changes } = await train(backend, network);
    await backend.dispose();
    // Every number is rounded to 6e-8 of itself. Through sums of hundreds of terms, some fifty layers back and forth, and
    // Adam, which takes the sign of gradients that are next to nothing, that is 1e-5 of all changes; a wrong term is far
    // more.
    expect(distance(losses, expected.losses)).toBeLessThan(1e-4);
    expect(distance(changes, expected.changes)).toBeLessThan(1e-3);
  }

  test('on WebAssembly', () => agrees(wasm({ threads: 2 }), 'wide'));

  /** Kernels that a backend refuses from now on, with the reason. */
  function refusalsOf(backend: Backend): { reason: string; kernel: Kernel }[] {
    const refusals: { reason: string; kernel: Kernel }[] = [];
    const supports = backend.supports.bind(backend);
    backend.supports = (kernel) => {
      const reason = supports(kernel);
      if (reason !== true) refusals.push({ reason, kernel });
      return reason;
    };
    return refusals;
  }

  test.skipIf(noDevice)('on WebGPU, with no step on the host', async () => {
    const backend = await openBackend();
    const refusals = refusalsOf(backend);
    await agrees(backend, 'small'); // a device in software takes its time to compile
    expect(refusals).toEqual([]);
    expect(backend.statistics.liveBuffers).toBe(0);
  });

  async function agreesByGpujs(mode: 'webasm' | 'webgpu'): Promise<void> {
    const backend = await openGpujs(mode);
    const refusals = refusalsOf(backend);
    await agrees(backend, 'small');
    const others = refusals.filter(({ kernel }) => !JSON.stringify(kernel).includes('"kind":"random"'));
    expect(others.map(({ reason }) => reason)).toEqual([]);
    expect(backend.statistics).toMatchObject({ liveBuffers: 0, handles: 0 });
  }

  test('on gpu.js by WebAssembly, with nothing on the host but random bits', () => agreesByGpujs('webasm'));
  test.skipIf(noWebgpu)('on gpu.js by WebGPU, with nothing on the host but random bits', () => agreesByGpujs('webgpu'));
});
