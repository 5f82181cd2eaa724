import { project } from '@evenkeel/mp-nn';
import { Adam, GradientAccumulator } from '@evenkeel/nn';
import { commit, compile, Generator, State, type Tensor, zeros } from '@evenkeel/tensor';
import { type EmaShares, PowerFunctionEma, TraditionalEma, type TraditionalEmaOptions } from '../ema/tracker.ts';
import { Edm2Loss, type Edm2LossOptions } from '../loss.ts';
import type { Precond } from '../network/precondition.ts';
import { type LearningRateOptions, learningRate } from '../schedule.ts';
import type { Batch, BatchSource } from './batch.ts';
import { nonFiniteCount, normOf } from './gradients.ts';
import { type BatchEncoder, lossAndGradients, type RoundOptions, trainStep } from './step.ts';
import { readTrainerState, restoreTrainer, type TrainerState } from './trainer-state.ts';

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
  /** Averages that fade exponentially, to track besides: what most trainers have. @defaultValue none */
  readonly traditionalEma?: Omit<TraditionalEmaOptions, 'images'>;
  /** Turns a batch's images into latents, in each step: noise that it draws is fresh each time. @defaultValue none */
  readonly encoder?: BatchEncoder;
  /** What gradients are multiplied by, see {@link RoundOptions.lossScale}. @defaultValue 1 */
  readonly lossScale?: number;
  /** Whether each step also gives the norm of its gradients, the loss scale in it. @defaultValue false */
  readonly gradientNorm?: boolean;
  /** Whether each step also gives how many numbers of its gradients were not finite. @defaultValue false */
  readonly countNonFinite?: boolean;
  /**
   * Whether a step's graph is built once and replayed. Without, bits are the same (of batches that hold values, not graphs)
   * and steps take longer: for networks whose forward pass depends on more than Parameters, inputs and random draws.
   * @defaultValue true
   */
  readonly compile?: boolean;
}

/** The numbers of one step. */
interface StepNumbers {
  readonly learningRate: number | Tensor;
  readonly shares: readonly EmaShares[];
  readonly traditionalShares: readonly EmaShares[];
}

/** What is computed of one step. */
type StepResults = { readonly loss: Tensor; readonly gradientNorm?: Tensor; readonly nonFinite?: Tensor };

/** One finished step. Its tensors are computed or under way: reading them is cheap and never stale. */
export interface TrainStep {
  /** Images seen, those of this step included. */
  readonly images: number;
  readonly learningRate: number;
  /** Mean of the loss over all elements of the step. A scalar. */
  readonly loss: Tensor;
  /** L2 norm of all gradients together, where asked for. A scalar. */
  readonly gradientNorm?: Tensor;
  /** How many numbers of all gradients were not finite, and taken for 0; where asked for. A scalar. */
  readonly nonFinite?: Tensor;
}

/**
 * Trains a network as EDM2 does: Adam on the schedule of {@link learningRate}, gradients that are not finite set to 0,
 * forced weight normalization before every forward pass (first values are normalized at once), averages after every step.
 * Noise and dropout of a step are a pure function of seed and images seen, so a training that goes on from
 * {@link state} has the bits of one that was never interrupted.
 *
 * Source: arXiv 2312.02696, figure 22 (config G), equations 66 and 67, appendix D.2 (gradients).
 *
 * @throws when the rounds do not divide the batch, or an option is out of range.
 *
 * @example
 * ```ts
 * const emoji = await loadEmoji16();
 * const loader = new DataLoader(trainingExamples(emoji), { batchSize: 4, indices: classBalanced(emoji) });
 * const options = { imgResolution: 16, imgChannels: 3, labelDim: 10, modelChannels: 8, channelMult: [1], numBlocks: 1 };
 * using net = new Precond(options);
 * using trainer = new Trainer(net, loader, { batchSize: 4, learningRate: { decayBatches: 1000, rampupImages: 2000 } });
 * for (let i = 0; i < 3; i++) {
 *   const { images, loss } = await trainer.step();
 *   console.log(images, await loss.item());
 * }
 * const averaged = await trainer.ema.snapshot(0.1); // name -> host array
 * ```
 */
export class Trainer {
  readonly net: Precond;
  readonly batchSize: number;
  readonly accumulationRounds: number;
  readonly seed: number;
  readonly loss: Edm2Loss;
  readonly optimizer: Adam;
  readonly ema: PowerFunctionEma;
  readonly traditionalEma: TraditionalEma | undefined;
  readonly #data: BatchSource;
  readonly #rate: LearningRateOptions;
  /** Stands, in each step, where seed and images seen say. */
  readonly #random = new Generator(0);
  readonly #round: RoundOptions;
  readonly #options: TrainerOptions;
  readonly #computeRound: (batch: Batch) => Promise<void>;
  readonly #computeStep: (batch: Batch, numbers: StepNumbers) => Promise<StepResults>;
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
    this.seed = options.seed ?? 0;
    this.#options = options;
    const { encoder, lossScale = 1 } = options;
    if (!(lossScale > 0 && lossScale < Number.POSITIVE_INFINITY)) {
      throw new Error(`Trainer: lossScale must be above 0, got ${lossScale}`);
    }
    this.#round = { random: this.#random, batchSize, lossScale, ...(encoder === undefined ? {} : { encoder }) };
    // Before the averages start from them. Not part of a step's plan, so that all steps share one.
    project(net);
    this.loss = new Edm2Loss({ sigmaData: net.sigmaData, ...options.loss });
    this.optimizer = new Adam(net, { betas: [0.9, 0.99], epsilon: 1e-8, ...options.adam, sanitize: true });
    this.ema = new PowerFunctionEma(net, options.emaStds === undefined ? {} : { stds: options.emaStds });
    const { traditionalEma } = options;
    this.traditionalEma = traditionalEma && new TraditionalEma(net, traditionalEma);
    const dtype = net.options.dtype ?? 'float32';
    if (accumulationRounds > 1) {
      this.#accumulator = new GradientAccumulator(net);
      this.#lossSum = new State(zeros([], { dtype }), { path: 'Trainer.lossSum' });
    }
    if (options.compile ?? true) {
      this.#computeRound = compile((batch: Batch) => this.#assignRound(batch));
      this.#computeStep = compile((batch: Batch, numbers: StepNumbers) => this.#assignStep(batch, numbers), {
        numbers: dtype,
      });
    } else {
      this.#computeRound = async (batch) => {
        this.#assignRound(batch);
        await commit();
      };
      this.#computeStep = async (batch, numbers) => {
        const results = this.#assignStep(batch, numbers);
        await commit(...Object.values(results));
        return results;
      };
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
    if (this.#images === 0) await commit(); // first values
    if (!this.net.training) this.net.train();
    this.#random.restore(new Generator(this.seed).fork(this.#images).state());
    for (let i = 1; i < this.accumulationRounds; i++) await this.#computeRound(await this.#nextBatch());
    const batch = await this.#nextBatch();
    const rate = learningRate(this.#images, this.#rate);
    this.#images += this.batchSize;
    const numbers = {
      learningRate: rate,
      shares: this.ema.advance(this.#images),
      traditionalShares: this.traditionalEma?.advance(this.#images) ?? [],
    };
    const results = await this.#computeStep(batch, numbers);
    return { images: this.#images, learningRate: rate, ...results };
  }

  /** All that a training goes on from: {@link restore} takes it. */
  async state(): Promise<TrainerState> {
    return readTrainerState(this);
  }

  /**
   * Goes on where {@link state} was taken, in another process too: the steps that follow have the same bits on the same
   * backend, if the data source stands where it stood then (`position: state.images` for a `DataLoader`).
   *
   * @throws when the state is of another network or seed, or has other averages.
   */
  async restore(state: TrainerState): Promise<void> {
    await restoreTrainer(this, state);
    this.#images = state.images;
  }

  /** Frees optimizer and averages; the network is its maker's. */
  dispose(): void {
    for (const part of [this.optimizer, this.ema, this.traditionalEma, this.#accumulator, this.#lossSum])
      part?.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** All rounds of a step but the last. */
  #assignRound(batch: Batch): void {
    const { loss, gradients } = lossAndGradients(this, batch, this.#round);
    this.#accumulator?.add(gradients);
    this.#lossSum?.assign(this.#lossSum.value.add(loss));
  }

  /** The last round, and what its step assigns. */
  #assignStep(batch: Batch, { learningRate, shares, traditionalShares }: StepNumbers): StepResults {
    const { loss, gradients } = trainStep(this, batch, {
      ...this.#round,
      learningRate,
      images: shares,
      ...(this.#accumulator === undefined ? {} : { accumulated: this.#accumulator }),
    });
    this.traditionalEma?.update(traditionalShares);
    return {
      loss: this.#meanLoss(loss),
      ...(this.#options.gradientNorm ? { gradientNorm: normOf(gradients) } : {}),
      ...(this.#options.countNonFinite ? { nonFinite: nonFiniteCount(gradients) } : {}),
    };
  }

  async #nextBatch(): Promise<Batch> {
    const { images, labels = null, normals } = await this.#data.next();
    const wanted = this.batchSize / this.accumulationRounds;
    if (images.shape[0] !== wanted) {
      throw new Error(
        `Trainer: wants ${wanted} images a round, got ${images.shape[0]}. Give the loader that batchSize`,
      );
    }
    // Sources may hand out more than a step takes.
    return { images, labels, ...(normals && { normals: { sigma: normals.sigma, noise: normals.noise } }) };
  }

  /** Over all rounds. */
  #meanLoss(last: Tensor): Tensor {
    if (this.#lossSum === undefined) return last;
    const sum = this.#lossSum.value.add(last);
    this.#lossSum.assign(zeros([], { dtype: sum.dtype }));
    return sum.div(this.accumulationRounds);
  }
}
