import { Precond, sample, Trainer, trainStep } from '@evenkeel/edm2';
import { project } from '@evenkeel/mp-nn';
import type { Module } from '@evenkeel/nn';
import { commit, compile, Generator, grad, realize, type Tensor, tensor } from '@evenkeel/tensor';
import type { Input, Prepared } from '../process/implementation.ts';
import { blockModule } from '../work/network.ts';
import type { TaskOf } from '../work/task.ts';
import type { Launches } from './launches.ts';

/** A block. Weights are projected in each run, so that nothing of them can be kept from the last one. */
export async function prepareBlock(
  task: TaskOf<'block'>,
  inputs: readonly Input[],
  launches: Launches,
): Promise<Prepared> {
  const module = blockModule(task);
  load(module, inputs.slice(3));
  const [x, emb, gradient] = inputs.slice(0, 3).map(onDevice) as [Tensor, Tensor, Tensor];
  await realize(x, emb, gradient);
  const parameters = [...module.namedParameters().values()];
  const compiled = compile((...[images, embedding, upstream]: [Tensor, Tensor, Tensor]) => {
    project(module);
    const result = module.call(images, embedding);
    if (task.isForwardOnly) return [result];
    const sources = [images, embedding, ...parameters.map(({ value }) => value)];
    return [result, ...grad(result.mul(upstream).sum(), sources)];
  });
  return {
    async run(count) {
      for (let i = 0; i < count; i++) for (const result of await compiled(x, emb, gradient)) result.dispose();
      await launches.done();
    },
    async results() {
      const results = await compiled(x, emb, gradient);
      const arrays = await Promise.all(results.map((result) => result.data()));
      for (const result of results) result.dispose();
      return arrays as Float32Array[];
    },
    dispose() {
      for (const one of [x, emb, gradient, module]) one.dispose();
    },
  };
}

type TrainingData = readonly [images: Tensor, labels: Tensor, noise: Tensor, sigma: Tensor];

/** A network in training: as a user trains it, on the same batch in each step. */
export class TrainingRun {
  readonly trainer: Trainer;
  readonly #data: TrainingData;

  readonly #task: TaskOf<'train-step'>;

  private constructor(task: TaskOf<'train-step'>, data: TrainingData, parameters: readonly Input[]) {
    this.#task = task;
    const net = new Precond(task.network);
    load(net, parameters);
    const [images, labels, noise, sigma] = data;
    this.#data = data;
    const next = async () => ({ images, labels, normals: { noise, sigma } });
    this.trainer = new Trainer(
      net,
      { next },
      {
        batchSize: task.batch,
        learningRate: { referenceRate: task.learningRate, decayBatches: 0, rampupImages: 0 },
        emaStds: task.emaStds,
      },
    );
  }

  static async start(task: TaskOf<'train-step'>, inputs: readonly Input[]): Promise<TrainingRun> {
    const data = inputs.slice(0, 4).map(onDevice) as [Tensor, Tensor, Tensor, Tensor];
    await realize(...data);
    return new TrainingRun(task, data, inputs.slice(4));
  }

  /** Hands over one step; gives its loss. */
  async step(): Promise<Tensor> {
    const { loss } = await this.trainer.step();
    return loss;
  }

  /** Assigns what a step computes, for a look at its plan; gives its loss. */
  assign(): Tensor {
    const [images, labels, noise, sigma] = this.#data;
    const { learningRate, batch } = this.#task;
    const options = { random: new Generator(0), learningRate, images: this.trainer.images + batch };
    return trainStep(this.trainer, { images, labels, normals: { noise, sigma } }, options).loss;
  }

  /** All weights and their first average, each in one array. */
  async weights(): Promise<Float32Array[]> {
    const { net, ema } = this.trainer;
    const names = [...net.namedParameters().keys()];
    const average = ema.stateDict(ema.stds[0] as number);
    return Promise.all([net.stateDict(), average].map((dict) => joined(names.map((name) => dict.get(name) as Tensor))));
  }

  dispose(): void {
    const { trainer } = this;
    for (const part of [trainer, trainer.net, ...this.#data]) part.dispose();
  }
}

/** The results are of three steps: two of them before the first run. */
export async function prepareTraining(
  task: TaskOf<'train-step'>,
  inputs: readonly Input[],
  launches: Launches,
): Promise<Prepared> {
  const training = await TrainingRun.start(task, inputs);
  const losses: number[] = [];
  const stepAndRead = async () => {
    losses.push(await (await training.step()).item());
  };
  await stepAndRead();
  await stepAndRead();
  return {
    async run(count) {
      if (losses.length < 3) return stepAndRead();
      for (let i = 0; i < count; i++) await training.step();
      await launches.done();
    },
    results: async () => [Float32Array.from(losses), ...(await training.weights())],
    dispose: () => training.dispose(),
  };
}

export async function prepareSampling(
  task: TaskOf<'sampling'>,
  [noise, labels, ...parameters]: readonly Input[],
  launches: Launches,
): Promise<Prepared> {
  const net = new Precond(task.network);
  load(net, parameters);
  const given = [noise as Input, labels as Input].map(onDevice) as [Tensor, Tensor];
  await realize(...given);
  let images: Tensor | undefined;
  return {
    async run(count) {
      for (let i = 0; i < count; i++) {
        images = await sample(net, given[0], { labels: given[1], steps: task.sigmas.length - 1 });
      }
      await launches.done();
    },
    results: async () => [(await (images as Tensor).data()) as Float32Array],
    dispose() {
      for (const one of [net, ...given]) one.dispose();
    },
  };
}

function load(module: Module, parameters: readonly Input[]): void {
  module.loadStateDict(new Map(parameters.map(({ name, values, shape }) => [name, tensor(values, { shape })])));
}

async function joined(tensors: readonly Tensor[]): Promise<Float32Array> {
  await commit(...tensors);
  const arrays = await Promise.all(tensors.map((one) => one.data()));
  const all = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let place = 0;
  for (const array of arrays) {
    all.set(array as Float32Array, place);
    place += array.length;
  }
  return all;
}

/** A tensor that has a buffer of its own when it is realized: plain data would stay on the host. */
export function onDevice({ values, shape }: Input): Tensor {
  return tensor(values, { shape }).mul(1);
}
