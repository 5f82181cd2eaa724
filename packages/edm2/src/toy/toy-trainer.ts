import { project } from '@evenkeel/mp-nn';
import { Adam } from '@evenkeel/nn';
import { commit, compile, Generator, grad, type Tensor } from '@evenkeel/tensor';
import { type EmaShares, PowerFunctionEma } from '../ema/tracker.ts';
import { learningRate } from '../schedule.ts';
import { fractalTree, type ToyClass } from './fractal-tree.ts';
import type { GaussianMixture } from './gaussian-mixture.ts';
import { toyLoss } from './toy-loss.ts';
import { ToyModel, type ToyModelOptions } from './toy-model.ts';

/** Options of {@link ToyTrainer}. */
export interface ToyTrainerOptions extends Pick<ToyModelOptions, 'layers' | 'dim'> {
  /** What is learned. @defaultValue 'A' */
  readonly classes?: ToyClass;
  /** Points of a step. @defaultValue 4096 */
  readonly batchSize?: number;
  /** Fixes first weights and the points of every step. @defaultValue 0 */
  readonly seed?: number;
  /** Length of the average, relative to training. @defaultValue 0.01 */
  readonly emaStd?: number;
}

/** One finished step; its loss is computed or under way. */
export interface ToyStep {
  /** Steps done, this one included. */
  readonly steps: number;
  readonly learningRate: number;
  /** Mean of the loss over the points. A scalar. */
  readonly loss: Tensor;
}

/** Values of a step that change from one to the next. */
interface StepNumbers {
  readonly learningRate: number | Tensor;
  readonly shares: readonly EmaShares[];
}

/** ln(sigma) of training points is normal with this mean and standard deviation. */
const noise = { mean: -2.3, std: 1.5 } as const;

/**
 * Trains a {@link ToyModel} on a {@link fractalTree}: Adam with betas 0.9 and 0.99, rate 0.01 that falls as an inverse
 * square root from step 512 on, forced weight normalization, and an average of length 0.01. The published run has 4096
 * steps of 4096 points; its guides stop after 512.
 *
 * Source: arXiv 2406.02507, appendix C.
 *
 * @throws when an option is out of range.
 *
 * @example
 * ```ts
 * using trainer = new ToyTrainer({ classes: 'A', layers: 2, dim: 16, batchSize: 64 });
 * for (let i = 0; i < 3; i++) {
 *   const { steps, loss } = await trainer.step();
 *   console.log(steps, await loss.item());
 * }
 * const weights = await trainer.ema.snapshot(0.01); // name -> host array
 * ```
 */
export class ToyTrainer {
  readonly net: ToyModel;
  readonly classes: ToyClass;
  readonly data: GaussianMixture;
  readonly ema: PowerFunctionEma;
  readonly batchSize: number;
  readonly #optimizer: Adam;
  readonly #seed: number;
  /** Stands, in each step, where seed and steps say. */
  readonly #random = new Generator(0);
  readonly #computeStep: (numbers: StepNumbers) => Promise<{ loss: Tensor }>;
  #steps = 0;

  constructor(options: ToyTrainerOptions = {}) {
    const { classes = 'A', batchSize = 4096, seed = 0, emaStd = 0.01, ...sizes } = options;
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new RangeError(`ToyTrainer: batchSize must be a whole number of at least 1, got ${batchSize}`);
    }
    this.batchSize = batchSize;
    this.classes = classes;
    this.#seed = seed;
    this.data = fractalTree(classes);
    this.net = new ToyModel({ ...sizes, generator: new Generator(seed).fork('weights') });
    this.ema = new PowerFunctionEma(this.net, { stds: [emaStd] });
    this.#optimizer = new Adam(this.net, { betas: [0.9, 0.99], epsilon: 1e-8 });
    this.#computeStep = compile((numbers: StepNumbers) => this.#assignStep(numbers));
  }

  /** Steps done. */
  get steps(): number {
    return this.#steps;
  }

  /** One step: resolves when its work is handed over. */
  async step(): Promise<ToyStep> {
    if (this.#steps === 0) {
      // First values are not part of a step's plan, so that all steps share one.
      project(this.net);
      await commit();
    }
    this.#random.restore(new Generator(this.#seed).fork(this.#steps).state());
    const seen = this.#steps * this.batchSize;
    const schedule = { batchSize: this.batchSize, referenceRate: 0.01, decayBatches: 512, rampupImages: 0 };
    const rate = learningRate(seen, schedule);
    this.#steps++;
    const numbers = { learningRate: rate, shares: this.ema.advance(seen + this.batchSize) };
    const { loss } = await this.#computeStep(numbers);
    return { steps: this.#steps, learningRate: rate, loss };
  }

  /** Frees the network, the optimizer and the average. */
  dispose(): void {
    for (const part of [this.net, this.ema, this.#optimizer]) part.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #assignStep({ learningRate, shares }: StepNumbers): { loss: Tensor } {
    const random = this.#random;
    const sigma = random.normal([this.batchSize], noise).exp();
    const clean = this.data.sample(this.batchSize, random);
    const x = clean.add(random.normal([this.batchSize, 2]).mul(sigma.reshape(-1, 1)));
    project(this.net);
    const loss = toyLoss(this.net, this.data, x, sigma).mean();
    const values = [...this.#optimizer.parameters.values()].map((parameter) => parameter.value);
    this.#optimizer.step(grad(loss, values), { learningRate });
    this.ema.update(shares);
    return { loss };
  }
}
