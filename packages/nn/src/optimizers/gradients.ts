import { grad, State, type Tensor, zeros } from '@evenkeel/tensor';
import { parametersOf, stateDType, type Trainable } from './optimizer.ts';

/** Gradients scaled down, and the norm that they had before. */
export interface ClippedGradients {
  readonly gradients: readonly Tensor[];
  /** Root of the sum of squares over all gradients; a scalar. */
  readonly norm: Tensor;
}

/**
 * Scales all gradients by min(1, maxNorm / norm) with their joint L2 norm. NaN or infinities anywhere spread to all of
 * them: sanitize first where they may occur.
 *
 * @throws when there are no gradients, or maxNorm is not above 0.
 *
 * @example
 * ```ts
 * const model = new Linear(2, 1);
 * const optimizer = new SGD(model);
 * const loss = model.call(ones([8, 2])).square().mean();
 * const values = model.parameters().map((parameter) => parameter.value);
 * const { gradients, norm } = clipGradNorm(grad(loss, values), 1);
 * optimizer.step(gradients);
 * await commit(loss, norm);
 * ```
 */
export function clipGradNorm(gradients: readonly Tensor[], maxNorm: number): ClippedGradients {
  if (!(maxNorm > 0)) throw new Error(`clipGradNorm: maxNorm must be above 0, got ${maxNorm}`);
  const [first, ...others] = gradients.map((gradient) => gradient.square().sum());
  if (first === undefined) throw new Error('clipGradNorm: got no gradients');
  const norm = others.reduce((total, square) => total.add(square), first).sqrt();
  // 1e-6 keeps the field's usual value, and 0 / 0 away.
  const scale = norm.add(1e-6).reciprocal().mul(maxNorm).minimum(1);
  return { gradients: gradients.map((gradient) => gradient.mul(scale)), norm };
}

/**
 * Limits each element of each gradient to -limit ... limit.
 *
 * @throws when the limit is not above 0.
 *
 * @example
 * ```ts
 * const [clipped] = clipGradValue([tensor([-2, 0.1, 0.7])], 0.5) as [Tensor];
 * clipped; // [-0.5, 0.1, 0.5]
 * ```
 */
export function clipGradValue(gradients: readonly Tensor[], limit: number): Tensor[] {
  if (!(limit > 0)) throw new Error(`clipGradValue: limit must be above 0, got ${limit}`);
  return gradients.map((gradient) => gradient.clip(-limit, limit));
}

/**
 * Sums gradients over rounds in cells of its own: commit after each round, and memory holds one round at a time.
 *
 * @example
 * ```ts
 * const model = new Linear(2, 1);
 * const optimizer = new Adam(model);
 * using accumulator = new GradientAccumulator(model);
 * for (const batch of [ones([8, 2]), zeros([8, 2])]) {
 *   accumulator.add(model.call(batch).square().mean());
 *   await commit(); // memory holds one round at a time
 * }
 * optimizer.step(accumulator.gradients());
 * accumulator.reset();
 * await commit();
 * ```
 */
export class GradientAccumulator {
  readonly #parameters: ReturnType<typeof parametersOf>;
  readonly #sums: readonly State[];

  constructor(target: Trainable) {
    this.#parameters = parametersOf(target);
    this.#sums = [...this.#parameters].map(([name, parameter]) => {
      const sum = new State(zeros(parameter.shape, { dtype: stateDType(parameter) }));
      sum.path = `GradientAccumulator.${name}`;
      return sum;
    });
  }

  /** Adds one round: a scalar loss, differentiated by the Parameters' current values, or its gradients in order. */
  add(loss: Tensor | readonly Tensor[]): void {
    const gradients = isTensor(loss)
      ? grad(
          loss,
          [...this.#parameters.values()].map((parameter) => parameter.value),
        )
      : loss;
    if (gradients.length !== this.#sums.length) {
      throw new Error(`GradientAccumulator.add: got ${gradients.length} gradients for ${this.#sums.length} Parameters`);
    }
    this.#sums.forEach((sum, index) => {
      const gradient = gradients[index] as Tensor;
      sum.assign(sum.value.add(gradient.dtype === sum.dtype ? gradient : gradient.cast(sum.dtype)));
    });
  }

  /** The sums so far, in the order of the Parameters: what `optimizer.step` takes. */
  gradients(): Tensor[] {
    return this.#sums.map((sum) => sum.value);
  }

  /** Back to zeros, for the next step. */
  reset(): void {
    for (const sum of this.#sums) sum.assign(zeros(sum.shape, { dtype: sum.dtype }));
  }

  dispose(): void {
    for (const sum of this.#sums) sum.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

function isTensor(value: Tensor | readonly Tensor[]): value is Tensor {
  return !Array.isArray(value);
}
