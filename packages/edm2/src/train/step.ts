import { project } from '@evenkeel/mp-nn';
import { type GradientAccumulator, type Optimizer, withGenerator } from '@evenkeel/nn';
import { type Generator, grad, type Tensor } from '@evenkeel/tensor';
import type { EmaShares, PowerFunctionEma } from '../ema/tracker.ts';
import type { Edm2Loss } from '../loss.ts';
import type { Precond } from '../network/precondition.ts';
import type { Batch } from './batch.ts';

/** What a training step works on. */
export interface TrainingParts {
  readonly net: Precond;
  readonly loss: Edm2Loss;
  readonly optimizer: Optimizer;
  readonly ema?: PowerFunctionEma;
}

/** Options of {@link lossAndGradients}. */
export interface RoundOptions {
  /** Source of noise levels and noise, where the batch does not bring its own, and of dropout masks. */
  readonly random: Generator;
  /** Images of the whole step, over which the loss is averaged. @defaultValue those of the batch */
  readonly batchSize?: number;
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
  /** In the order of `optimizer.parameters`. */
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
  const { images, labels = null } = batch;
  project(net);
  const { random } = options;
  const elements = withGenerator(random, () => loss.call(net, images, labels, batch.normals ?? random));
  const total = elements.sum();
  const objective = total.div(options.batchSize ?? (images.shape[0] as number));
  const values = [...optimizer.parameters.values()].map((parameter) => parameter.value);
  return { loss: total.div(elements.size), gradients: grad(objective, values) };
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
