import { Block, noiseLevels, Precond } from '@evenkeel/edm2';
import { exponentOfStd } from '@evenkeel/edm2/ema';
import type { Module } from '@evenkeel/nn';
import type { NetworkTask, TaskOf } from './task.ts';
import type { InputSpec, Work } from './work.ts';

/** The network of the bench: config G with 64 channels on 32 x 32 RGB, seven million weights. */
export const benchNetwork: NetworkTask = {
  imgResolution: 32,
  imgChannels: 3,
  labelDim: 10,
  modelChannels: 64,
  channelMult: [1, 2, 2],
  numBlocks: 1,
  attnResolutions: [16, 8],
  channelsPerHead: 64,
};

/** A network of the size that the quickstart trains. */
export const smallNetwork: NetworkTask = {
  imgResolution: 16,
  imgChannels: 3,
  labelDim: 10,
  modelChannels: 24,
  channelMult: [1, 2],
  numBlocks: 1,
  attnResolutions: [8],
  channelsPerHead: 16,
};

/** One that gives a graphics card something to do: config G with 128 channels on 64 x 64 latents, a block a level. */
export const cardNetwork: NetworkTask = {
  imgResolution: 64,
  imgChannels: 4,
  labelDim: 10,
  modelChannels: 128,
  channelMult: [1, 2, 3, 4],
  numBlocks: 1,
  attnResolutions: [16, 8],
  channelsPerHead: 64,
};

/** One that a graphics card played by a processor trains in parts of a second. */
export const tinyNetwork: NetworkTask = {
  imgResolution: 8,
  imgChannels: 3,
  labelDim: 10,
  modelChannels: 16,
  channelMult: [1],
  numBlocks: 1,
  attnResolutions: [],
  channelsPerHead: 16,
};

interface BlockShape {
  readonly batch: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly size: number;
  readonly heads?: number;
}

/** A block forward and, unless told, backward, at normalized weights: as in training, without the optimizer. */
export function block(flavor: 'enc' | 'dec', shape: BlockShape, { isForwardOnly = false } = {}): Work {
  const { batch, inChannels, outChannels, size, heads = 0 } = shape;
  const task: TaskOf<'block'> = {
    kind: 'block',
    isForwardOnly,
    flavor,
    batch,
    inChannels,
    outChannels,
    embChannels: outChannels,
    size,
    heads,
  };
  const inputs: InputSpec[] = [
    { name: 'x', shape: [batch, inChannels, size, size] },
    { name: 'emb', shape: [batch, outChannels] },
    { name: 'gradient', shape: [batch, outChannels, size, size] },
    ...parametersOf(blockModule(task)),
  ];
  const name = `${flavor === 'enc' ? 'encoder' : 'decoder'}${heads > 0 ? '-attention' : ''}`;
  const convolutions =
    9 * (flavor === 'enc' ? outChannels : inChannels) + 9 * outChannels + (heads > 0 ? 4 : 0) * outChannels;
  const skip = inChannels === outChannels ? 0 : inChannels;
  const gradients = isForwardOnly ? [] : [inputs[0], inputs[1], ...inputs.slice(3)];
  const results = [inputs[2], ...gradients] as InputSpec[];
  return {
    name: `edm2-${name}-block-${batch}x${inChannels}x${size}x${size}${isForwardOnly ? '-forward' : ''}`,
    task,
    unit: 'ms',
    amount: 1,
    flops: (isForwardOnly ? 1 : 3) * 2 * batch * size ** 2 * outChannels * (convolutions + skip),
    inputs,
    results: results.map(({ shape: of }) => of.reduce((count, length) => count * length, 1)),
    tolerance: 0,
    agreement: 1e-4,
  };
}

/** The block of a task; attention has as many heads as asked for. */
export function blockModule({ flavor, inChannels, outChannels, embChannels, heads }: TaskOf<'block'>): Block {
  const attention = heads > 0 ? { attention: true, channelsPerHead: outChannels / heads } : {};
  return new Block({ inChannels, outChannels, embChannels, flavor, ...attention });
}

const emaStds = [0.05, 0.1];

/**
 * A whole training step: forced weight normalization, forward, loss, backward, Adam, two averages. Results are the losses of
 * three steps, then all weights and their first average after them.
 */
export function trainStep(name: string, network: NetworkTask, batch: number): Work {
  const parameters = networkInputs(network);
  const count = lengthOf(parameters.filter(({ isTrained }) => isTrained));
  return {
    name,
    task: {
      kind: 'train-step',
      network,
      batch,
      learningRate: 0.01,
      emaStds,
      emaExponents: emaStds.map((std) => exponentOfStd(std)),
    },
    unit: 'ms',
    amount: 1,
    flops: batch * network.imgResolution ** 2 * network.modelChannels ** 2 * 1500,
    inputs: [...exampleInputs(network, batch), { name: 'sigma', shape: [batch] }, ...parameters],
    results: [3, count, count],
    tolerance: 0,
    agreement: 1e-3,
  };
}

/** What the host does for a kernel of a training step that was compiled: only its losses are looked at. */
export function hostTime(network: NetworkTask, batch: number): Work {
  const step = trainStep('edm2-host-time-per-kernel', network, batch);
  return {
    ...step,
    task: { kind: 'host-time', step: step.task as TaskOf<'train-step'> },
    unit: 'µs',
    results: [3],
  };
}

/** Sampling by Heun's method in few steps; the figure is that of images, or of steps of the whole batch. */
export function sampling(network: NetworkTask, batch: number, unit: 'images/s' | 'steps/s' = 'images/s'): Work {
  const [, labels, noise] = exampleInputs(network, batch) as [InputSpec, InputSpec, InputSpec];
  const steps = 4;
  return {
    name: unit === 'steps/s' ? 'edm2-sampling-steps' : 'edm2-sampling',
    task: { kind: 'sampling', network, batch, sigmas: [...noiseLevels({ steps })] },
    unit,
    amount: unit === 'steps/s' ? steps : batch,
    flops: 1e11,
    inputs: [noise, labels, ...networkInputs(network)],
    results: [lengthOf([noise])],
    tolerance: 0,
    agreement: 1e-3,
  };
}

function exampleInputs({ imgChannels, imgResolution, labelDim }: NetworkTask, batch: number): InputSpec[] {
  const shape = [batch, imgChannels, imgResolution, imgResolution];
  return [
    { name: 'images', shape, fill: (_, normal) => 0.5 * normal() },
    {
      name: 'labels',
      shape: [batch, labelDim],
      fill: (i) => Number(i % labelDim === Math.floor(i / labelDim) % labelDim),
    },
    { name: 'noise', shape },
  ];
}

/** Weights in the order of the published state dict, and the Fourier features, which are not trained. */
function networkInputs(network: NetworkTask): (InputSpec & { readonly isTrained: boolean })[] {
  return parametersOf(new Precond(network));
}

function parametersOf(module: Module): (InputSpec & { readonly isTrained: boolean })[] {
  const trained = module.namedParameters();
  return [...module.stateDict()].map(([name, { shape }]) => ({
    name,
    shape,
    isTrained: trained.has(name),
    fill: fillOf(name),
  }));
}

/** Gains at 0 would hide most of a network's gradients. */
function fillOf(name: string): NonNullable<InputSpec['fill']> {
  if (name.endsWith('gain')) return () => 0.5;
  return /freqs|phases/.test(name) ? (_, normal) => 2 * Math.PI * normal() : 'normal';
}

function lengthOf(inputs: readonly InputSpec[]): number {
  return inputs.reduce((sum, { shape }) => sum + shape.reduce((count, length) => count * length, 1), 0);
}
