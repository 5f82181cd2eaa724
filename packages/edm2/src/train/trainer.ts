import { project } from '@evenkeel/mp-nn';
import { Adam, GradientAccumulator } from '@evenkeel/nn';
import { commit, Generator, State, type Tensor, zeros } from '@evenkeel/tensor';
import { PowerFunctionEma } from '../ema/tracker.ts';
import { Edm2Loss, type Edm2LossOptions } from '../loss.ts';
import type { Precond } from '../network/precondition.ts';
import { type LearningRateOptions, learningRate } from '../schedule.ts';
import type { BatchSource } from './batch.ts';
import { lossAndGradients, trainStep } from './step.ts';

/** Options of {@link Trainer}. */
export interface TrainerOptions {
  /** Images of a step, over all its rounds. */
  readonly batchSize: number;
  /** Rounds that a step's images come in: memory holds one round's. @defaultValue 1 */
  readonly accumulationRounds?: number;
  /** Fixes noise and dropout of every step. @defaultValue 0 */
  readonly seed?: number;
  /** The noise distribution; sigmaData is the network's unless told. */
  readonly loss?: Edm2LossOptions;
  readonly learningRate?: Omit<LearningRateOptions, 'batchSize'>;
  /** Adam's. @defaultValue betas [0.9, 0.99], epsilon 1e-8 */
  readonly adam?: { readonly betas?: readonly [number, number]; readonly epsilon?: number };
  /** Averages to track. @defaultValue [0.05, 0.1] */
  readonly emaStds?: readonly number[];
  /** Whether each step also gives the norm of its gradients. @defaultValue false */
  readonly gradientNorm?: boolean;
}

/** One finished step. Its tensors are computed or under way: reading them is cheap and never stale. */
export interface TrainStep {
  /** Images seen, those of this step included. */
  readonly images: number;
  readonly learningRate: number;
  /** Mean of the loss over all elements of the step. A scalar. */
  readonly loss: Tensor;
  /** L2 norm of all gradients together, where asked for. A scalar. */
  readonly gradientNorm?: Tensor;
}

/**
 * Trains a network as EDM2 does: Adam on the schedule of {@link learningRate}, gradients that are not finite set to 0,
 * forced weight normalization before every forward pass, averages after every step. Noise and dropout of a
 * step are a pure function of seed and images seen.
 *
 * Source: arXiv 2312.02696, figure 22 (config G), equations 66 and 67, appendix D.2 (gradients).
 *
 * @throws when the rounds do not divide the batch, or an option is out of range.
 *
 * @example
 * ```ts
 * using trainer = new Trainer(net, loader, { batchSize: 32, learningRate: { decayBatches: 1000, rampupImages: 2000 } });
 * for (let i = 0; i < 500; i++) {
 *   const { images, loss } = await trainer.step();
 *   if (i % 50 === 0) console.log(images, await loss.item());
 * }
 * const averaged = await trainer.ema.snapshot(0.1);
 * ```
 */
export class Trainer {
  readonly net: Precond;
  readonly batchSize: number;
  readonly accumulationRounds: number;
  readonly loss: Edm2Loss;
  readonly optimizer: Adam;
  readonly ema: PowerFunctionEma;
  readonly #data: BatchSource;
  readonly #rate: LearningRateOptions;
  readonly #seed: number;
  readonly #gradientNorm: boolean;
  readonly #accumulator: GradientAccumulator | undefined;
  readonly #lossSum: State | undefined;
  #images = 0;

  /** @param data gives `batchSize / accumulationRounds` images at a time. */
  constructor(net: Precond, data: BatchSource, options: TrainerOptions) {
    const { batchSize, accumulationRounds = 1 } = options;
    if (!(Number.isInteger(batchSize) && batchSize > 0)) {
      throw new Error(`Trainer: batchSize must be a whole number of at least 1, got ${batchSize}`);
    }
    if (!(Number.isInteger(accumulationRounds) && accumulationRounds > 0 && batchSize % accumulationRounds === 0)) {
      throw new Error(`Trainer: batchSize ${batchSize} does not divide into ${accumulationRounds} rounds`);
    }
    this.net = net;
    this.batchSize = batchSize;
    this.accumulationRounds = accumulationRounds;
    this.#data = data;
    this.#rate = { ...options.learningRate, batchSize };
    this.#seed = options.seed ?? 0;
    this.#gradientNorm = options.gradientNorm ?? false;
    this.loss = new Edm2Loss({ sigmaData: net.sigmaData, ...options.loss });
    this.optimizer = new Adam(net, { betas: [0.9, 0.99], epsilon: 1e-8, ...options.adam, sanitize: true });
    this.ema = new PowerFunctionEma(net, options.emaStds === undefined ? {} : { stds: options.emaStds });
    if (accumulationRounds > 1) {
      const dtype = net.options.dtype ?? 'float32';
      this.#accumulator = new GradientAccumulator(net);
      this.#lossSum = new State(zeros([], { dtype }), { path: 'Trainer.lossSum' });
    }
  }

  /** Images seen so far. */
  get images(): number {
    return this.#images;
  }

  /**
   * One step: resolves when its work is handed over.
   *
   * @throws when a batch does not have `batchSize / accumulationRounds` images.
   */
  async step(): Promise<TrainStep> {
    if (this.#images === 0) {
      // First values are not part of a step's plan, so that all steps share one.
      project(this.net);
      await commit();
    }
    this.net.train();
    const random = new Generator(this.#seed).fork(this.#images);
    const round = { random, batchSize: this.batchSize };
    for (let i = 1; i < this.accumulationRounds; i++) {
      const { loss, gradients } = lossAndGradients(this, await this.#nextBatch(), round);
      this.#accumulator?.add(gradients);
      this.#lossSum?.assign(this.#lossSum.value.add(loss));
      await commit();
    }
    const rate = learningRate(this.#images, this.#rate);
    const batch = await this.#nextBatch();
    this.#images += this.batchSize;
    const accumulated = this.#accumulator === undefined ? {} : { accumulated: this.#accumulator };
    const step = trainStep(this, batch, { ...round, ...accumulated, learningRate: rate, images: this.#images });
    const loss = this.#meanLoss(step.loss);
    const norm = this.#gradientNorm ? normOf(step.gradients) : undefined;
    await commit(loss, ...(norm === undefined ? [] : [norm]));
    return { images: this.#images, learningRate: rate, loss, ...(norm === undefined ? {} : { gradientNorm: norm }) };
  }

  /** Frees optimizer and averages; the network is its maker's. */
  dispose(): void {
    for (const part of [this.optimizer, this.ema, this.#accumulator, this.#lossSum]) part?.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  async #nextBatch() {
    const batch = await this.#data.next();
    const wanted = this.batchSize / this.accumulationRounds;
    if (batch.images.shape[0] !== wanted) {
      throw new Error(
        `Trainer: wants ${wanted} images a round, got ${batch.images.shape[0]}. Give the loader that batchSize`,
      );
    }
    return batch;
  }

  /** Over all rounds. */
  #meanLoss(last: Tensor): Tensor {
    if (this.#lossSum === undefined) return last;
    const sum = this.#lossSum.value.add(last);
    this.#lossSum.assign(zeros([], { dtype: sum.dtype }));
    return sum.div(this.accumulationRounds);
  }
}

function normOf(gradients: readonly Tensor[]): Tensor {
  const [first, ...others] = gradients.map((gradient) => gradient.square().sum()) as [Tensor, ...Tensor[]];
  return others.reduce((total, square) => total.add(square), first).sqrt();
}
