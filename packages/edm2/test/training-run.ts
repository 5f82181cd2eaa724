import { type Backend, Generator, oneHot, tensor, withBackend } from '@evenkeel/tensor';
import type { Kernel } from '@evenkeel/tensor/kernel';
import { type Batch, Trainer } from '../src/index.ts';
import { tinyNetwork } from './tiny-network.ts';

/** A network with every kind of layer, its 3x3 convolutions wide enough for Winograd; and the smallest of its kind. */
const networks = {
  wide: { imgResolution: 8, modelChannels: 16, attnResolutions: [4] },
  small: { imgResolution: 8, modelChannels: 4, attnResolutions: [8], numBlocks: 1 },
} satisfies Record<string, Parameters<typeof tinyNetwork>[0]>;

export type TrainingNetwork = keyof typeof networks;

/** What a few steps of training did: all of it can be sent from a page. */
export interface Trained {
  readonly losses: readonly number[];
  /** What training has changed of all weights, one after the other. */
  readonly changes: readonly number[];
  /** Kernels that the backend left to the host: of what, and why. */
  readonly onHost: readonly { readonly of: 'random bits' | 'other'; readonly reason: string }[];
}

/** A few steps of a tiny EDM2 network, the same on every backend but for rounding. */
export async function train(backend: Backend, network: TrainingNetwork): Promise<Trained> {
  const onHost: Trained['onHost'][number][] = [];
  const supports = backend.supports.bind(backend);
  backend.supports = (kernel) => {
    const answer = supports(kernel);
    if (answer !== true) onHost.push({ of: workOf(kernel), reason: answer });
    return answer;
  };
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
    const learningRate = { referenceRate: 0.02, rampupImages: 0 };
    using trainer = new Trainer(net, { next }, { batchSize: 8, learningRate });
    const before = await weights();
    const losses: number[] = [];
    for (let step = 0; step < 3; step++) losses.push(await (await trainer.step()).loss.item());
    const after = await weights();
    return { losses, changes: after.map((value, i) => value - (before[i] as number)), onHost };
  });
}

function workOf(kernel: Kernel): Trained['onHost'][number]['of'] {
  return JSON.stringify(kernel).includes('"kind":"random"') ? 'random bits' : 'other';
}
