import { project } from '@evenkeel/mp-nn';
import { type GradientAccumulator, type Optimizer, withGenerator } from '@evenkeel/nn';
import { type Generator, grad, type Tensor } from '@evenkeel/tensor';
import type { EmaShares, WeightAverages } from '../ema/tracker.ts';
import type { Edm2Loss } from '../loss.ts';
import type { Precond } from '../network/precondition.ts';
import type { Batch } from './batch.ts';

/** What a training step works on. */
export interface TrainingParts {
  readonly net: Precond;
  readonly loss: Edm2Loss;
  readonly optimizer: Optimizer;
  readonly ema?: WeightAverages;
}

/** What makes a network's input of the images that a data set stores. */
export interface BatchEncoder {
  /** Latents `[N, C, R, R]` of stored values, lazily: a part of the step's graph, which may draw noise. */
  encode(raw: Tensor, random: Generator): Tensor;
}

/** Options of {@link lossAndGradients}. */
export interface RoundOptions {
  /** Source of noise levels and noise, where the batch does not bring its own, and of dropout masks. */
  readonly random: Generator;
  /** Images of the whole step, over which the loss is averaged. @defaultValue those of the batch */
  readonly batchSize?: number;
  /** Turns the batch's images into latents. @defaultValue they are latents already */
  readonly encoder?: BatchEncoder;
  /**
   * What gradients are multiplied by, so that small ones do not vanish in float16. It is not taken out again: Adam does not
   * feel it. @defaultValue 1
   */
  readonly lossScale?: number;
}

/** Options of {@link trainStep}. */
export interface TrainStepOptions extends RoundOptions {
  /** Inside `compile(fn)`, where a number would be baked in, an argument of `fn`. */
  readonly learningRate: number | Tensor;
  /** Images seen, those of this step included; inside `compile(fn)` what `ema.advance(images)` gave, as arguments of `fn`. */
  readonly images: number | readonly EmaShares[];
  /** Gradients of this step's earlier rounds, which are added and reset. */
  readonly accumulated?: GradientAccumulator;
}

/** What a round or a step gives; nothing of it is computed yet. */
export interface LossAndGradients {
  /** Mean over all elements: what one logs. A scalar. */
  readonly loss: Tensor;
  /** In the order of `optimizer.parameters`, times the loss scale. */
  readonly gradients: readonly Tensor[];
}

/**
 * One accumulation round: forced weight normalization, then the loss, then its gradients at the normalized weights. The
 * gradients are of the loss summed over pixels and channels and averaged over images.
 *
 * @example
 * ```ts
 * const options = { imgResolution: 8, imgChannels: 3, labelDim: 0, modelChannels: 8, channelMult: [1], numBlocks: 1 };
 * const net = new Precond(options);
 * const parts = { net, loss: new Edm2Loss(), optimizer: new Adam(net) };
 * const random = new Generator(1);
 * using accumulator = new GradientAccumulator(net);
 * for (let round = 0; round < 2; round++) {
 *   const batch = { images: random.normal([4, 3, 8, 8], { std: 0.5 }) };
 *   accumulator.add(lossAndGradients(parts, batch, { random, batchSize: 8 }).gradients);
 *   await commit();
 * }
 * ```
 */
export function lossAndGradients(parts: TrainingParts, batch: Batch, options: RoundOptions): LossAndGradients {
  const { net, loss, optimizer } = parts;
  const { labels = null, normals } = batch;
  const { random, lossScale = 1, batchSize = batch.images.shape[0] as number } = options;
  project(net);
  const elements = withGenerator(random, () => {
    const images = options.encoder?.encode(batch.images, random) ?? batch.images;
    return loss.call(net, images, labels, normals ?? random);
  });
  const total = elements.sum();
  const objective = total.div(batchSize);
  const values = [...optimizer.parameters.values()].map((parameter) => parameter.value);
  const gradients = grad(lossScale === 1 ? objective : objective.mul(lossScale), values);
  return { loss: total.div(elements.size), gradients };
}

/**
 * One training step, as cells to be assigned: `project(net)`, the loss and its gradients, the optimizer, the averages.
 * The `commit` that follows computes all of it in one plan, the same for every step.
 *
 * Source: arXiv 2312.02696, algorithm 1 (forced weight normalization) and section 3.1 (averages).
 *
 * @example
 * ```ts
 * const options = { imgResolution: 8, imgChannels: 3, labelDim: 0, modelChannels: 8, channelMult: [1], numBlocks: 1 };
 * const net = new Precond(options);
 * const parts = { net, loss: new Edm2Loss(), optimizer: new Adam(net), ema: new PowerFunctionEma(net) };
 * const random = new Generator(1);
 * for (let images = 4; images <= 12; images += 4) {
 *   const batch = { images: random.normal([4, 3, 8, 8], { std: 0.5 }) };
 *   const { loss } = trainStep(parts, batch, { random, learningRate: 0.01, images });
 *   await commit(loss);
 *   console.log(images, await loss.item());
 * }
 * ```
 */
export function trainStep(parts: TrainingParts, batch: Batch, options: TrainStepOptions): LossAndGradients {
  const { loss, gradients } = lossAndGradients(parts, batch, options);
  const earlier = options.accumulated?.gradients();
  const summed = earlier === undefined ? gradients : gradients.map((gradient, i) => gradient.add(earlier[i] as Tensor));
  options.accumulated?.reset();
  parts.optimizer.step(summed, { learningRate: options.learningRate });
  parts.ema?.update(options.images);
  return { loss, gradients: summed };
}
