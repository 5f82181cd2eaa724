import type { State, Tensor } from '@evenkeel/tensor';
import { requireAtLeast, requireDecay } from './hyperparameter.ts';
import {
  Optimizer,
  type OptimizerOptions,
  type Scalar,
  type StateDType,
  stateDType,
  type Trainable,
} from './optimizer.ts';

export interface AdamOptions extends OptimizerOptions {
  /** Decay of the averages of the gradient and of its square. @defaultValue [0.9, 0.999] */
  readonly betas?: readonly [number, number];
  /** Added to the root of the second average. @defaultValue 1e-8 */
  readonly epsilon?: number;
  /** Pulls towards 0; {@link Adam} adds it to the gradient, {@link AdamW} to the step. @defaultValue 0 (AdamW 0.01) */
  readonly weightDecay?: number;
}

/** Averages of the constant 1 with the optimizer's betas: 1 - beta^k after k steps, whatever was rounded. */
interface Corrections {
  readonly first: State;
  readonly second: State;
}

/**
 * Adam (Kingma and Ba 2015, algorithm 1), with L2 weight decay added to the gradient g:
 * m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; p -= lr / (1 - b1^k) m / (sqrt(v / (1 - b2^k)) + epsilon).
 * Default learning rate 0.001.
 *
 * The bias corrections 1 - b^k are kept in cells as the same average taken of 1, c = b c + (1 - b): no power of a
 * step count to compute, and the roundings of b and 1 - b that m and v accumulate cancel.
 *
 * @example
 * ```ts
 * const optimizer = new Adam(model, { betas: [0.9, 0.99], sanitize: true });
 * optimizer.step(loss, { learningRate: schedule(images) });
 * await commit(loss);
 * ```
 */
export class Adam extends Optimizer {
  readonly betas: readonly [number, number];
  readonly epsilon: number;
  readonly weightDecay: number;
  readonly #first: Map<string, State>;
  readonly #second: Map<string, State>;
  readonly #corrections = new Map<StateDType, Corrections>();

  constructor(target: Trainable, options: AdamOptions = {}) {
    super(target, options, 1e-3);
    const where = this.constructor.name;
    const [beta1, beta2] = options.betas ?? [0.9, 0.999];
    this.betas = [requireDecay(where, 'betas[0]', beta1), requireDecay(where, 'betas[1]', beta2)];
    this.epsilon = requireAtLeast(where, 'epsilon', options.epsilon ?? 1e-8, 0);
    this.weightDecay = requireAtLeast(where, 'weightDecay', options.weightDecay ?? 0, 0);
    this.#first = this.createStates('firstMoment');
    this.#second = this.createStates('secondMoment');
    for (const dtype of new Set([...this.parameters.values()].map(stateDType))) {
      this.#corrections.set(dtype, {
        first: this.createState(`firstCorrection.${dtype}`, [], dtype),
        second: this.createState(`secondCorrection.${dtype}`, [], dtype),
      });
    }
  }

  protected override begin(scalars: Readonly<Record<StateDType, Scalar>>): void {
    const [beta1, beta2] = this.betas;
    for (const [dtype, { first, second }] of this.#corrections) {
      const scalar = scalars[dtype];
      first.assign(first.value.mul(scalar(beta1)).add(scalar(1 - beta1)));
      second.assign(second.value.mul(scalar(beta2)).add(scalar(1 - beta2)));
    }
  }

  protected override update(
    name: string,
    { value, gradient }: { readonly value: Tensor; readonly gradient: Tensor },
    learningRate: Tensor,
    scalar: Scalar,
  ): Tensor {
    const [beta1, beta2] = this.betas;
    const corrections = this.#corrections.get(value.dtype as StateDType) as Corrections;
    const g = this.decayGradient(value, gradient, scalar);
    const first = this.#first.get(name) as State;
    const second = this.#second.get(name) as State;
    const m = first.value.mul(scalar(beta1)).add(g.mul(scalar(1 - beta1)));
    const v = second.value.mul(scalar(beta2)).add(g.square().mul(scalar(1 - beta2)));
    first.assign(m);
    second.assign(v);
    const size = learningRate.div(corrections.first.value);
    const root = v.sqrt().div(corrections.second.value.sqrt()).add(scalar(this.epsilon));
    return this.decayValue(value, learningRate, scalar).sub(m.div(root).mul(size));
  }

  /** The gradient with Adam's weight decay in it. */
  protected decayGradient(value: Tensor, gradient: Tensor, scalar: Scalar): Tensor {
    return this.weightDecay > 0 ? gradient.add(value.mul(scalar(this.weightDecay))) : gradient;
  }

  /** The value that the step starts from. */
  protected decayValue(value: Tensor, _learningRate: Tensor, _scalar: Scalar): Tensor {
    return value;
  }
}
