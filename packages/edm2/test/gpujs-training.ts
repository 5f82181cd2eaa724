import type { GpujsBackend } from '@evenkeel/backend-gpujs';
import { Adam } from '@evenkeel/nn';
import { commit, explain, Generator, tensor, withBackend } from '@evenkeel/tensor';
import { type Batch, Edm2Loss, PowerFunctionEma, Trainer, trainStep } from '../src/index.ts';
import { tinyNetwork } from './tiny-network.ts';

/** The smallest network with every kind of layer, one level of it. */
const smallest = {
  imgResolution: 4,
  modelChannels: 4,
  channelMult: [1],
  attnResolutions: [4],
  channelsPerHead: 4,
  logvarChannels: 4,
};

/** Two images of the host's and their labels. */
function batch(): Batch {
  const images = tensor(
    Float32Array.from({ length: 64 }, (_, i) => Math.sin(i)),
    { shape: [2, 2, 4, 4] },
  );
  return {
    images,
    labels: tensor([
      [1, 0, 0],
      [0, 0, 1],
    ]),
  };
}

/** What of a training step runs on the host, in the words of `explain`. */
export async function hostSteps(backend: GpujsBackend): Promise<{ steps: number; onHost: string[] }> {
  return withBackend(backend, async () => {
    using net = tinyNetwork(smallest);
    using optimizer = new Adam(net, { sanitize: true });
    using ema = new PowerFunctionEma(net);
    await commit();
    const random = new Generator(1);
    const parts = { net, loss: new Edm2Loss(), optimizer, ema };
    const { loss } = trainStep(parts, batch(), { random, learningRate: 0.01, images: 2 });
    const { steps } = explain(loss);
    const onHost = steps.filter(({ kind }) => kind === 'host');
    return { steps: steps.length, onHost: onHost.map(({ refused, description }) => refused ?? description) };
  });
}

/** What a backend holds during a training. */
export interface Held {
  readonly step: number;
  readonly liveBuffers: number;
  readonly handles: number;
  readonly pooled: number;
  readonly compiled: number;
}

/** Trains, and says at some steps what the backend holds. */
export async function trainHolding(
  backend: GpujsBackend,
  at: readonly number[],
): Promise<{ held: Held[]; losses: number[] }> {
  return withBackend(backend, async () => {
    using net = tinyNetwork({ ...smallest, attnResolutions: [] });
    using trainer = new Trainer(net, { next: async () => batch() }, { batchSize: 2, emaStds: [0.05] });
    const held: Held[] = [];
    const losses: number[] = [];
    for (let step = 1; step <= Math.max(...at); step++) {
      using loss = (await trainer.step()).loss;
      if (!at.includes(step)) continue;
      losses.push(await loss.item());
      const { liveBuffers, handles, pooled, compiled } = backend.statistics as NonNullable<typeof backend.statistics>;
      held.push({ step, liveBuffers, handles, pooled, compiled });
    }
    return { held, losses };
  });
}
