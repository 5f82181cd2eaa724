import { type State, type Tensor, tensor } from '@evenkeel/tensor';
import { requireAtLeast } from './hyperparameter.ts';
import { type Current, Optimizer, type OptimizerOptions, type StateDType, type Trainable } from './optimizer.ts';

/** Options of {@link SGD}. */
export interface SGDOptions extends OptimizerOptions {
  /** How much of the last step's direction stays. @defaultValue 0 */
  readonly momentum?: number;
  /** Whether to look one momentum step ahead. @defaultValue false */
  readonly nesterov?: boolean;
  /** Pulls towards 0: added to the gradient, times the Parameter. @defaultValue 0 */
  readonly weightDecay?: number;
}

interface SGDScalars {
  readonly learningRate: Tensor;
  readonly momentum: Tensor;
  readonly weightDecay: Tensor;
}

/**
 * Gradient descent, as the field computes it (momentum without dampening):
 * g += weightDecay p; b = momentum b + g; p -= learningRate (nesterov ? g + momentum b : b).
 * Default learning rate 0.01.
 *
 * @throws when an option is out of range, or nesterov is asked for without momentum.
 *
 * @example
 * ```ts
 * const model = new Linear(2, 1);
 * const optimizer = new SGD(model, { learningRate: 0.1, momentum: 0.9 });
 * const loss = model.call(ones([8, 2])).square().mean();
 * optimizer.step(loss);
 * await commit(loss);
 * ```
 */
export class SGD extends Optimizer<SGDScalars> {
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly weightDecay: number;
  readonly #momenta: Map<string, State>;

  constructor(target: Trainable, options: SGDOptions = {}) {
    super(target, options, 0.01);
    this.momentum = requireAtLeast('SGD', 'momentum', options.momentum ?? 0, 0);
    this.nesterov = options.nesterov ?? false;
    this.weightDecay = requireAtLeast('SGD', 'weightDecay', options.weightDecay ?? 0, 0);
    if (this.nesterov && this.momentum === 0) {
      throw new Error('SGD: nesterov needs a momentum above 0, got 0. Set momentum, 0.9 for one');
    }
    this.#momenta = this.momentum > 0 ? this.createStates('momentum') : new Map();
  }

  protected override scalars(dtype: StateDType, learningRate: Tensor): SGDScalars {
    return {
      learningRate,
      momentum: tensor(this.momentum, { dtype }),
      weightDecay: tensor(this.weightDecay, { dtype }),
    };
  }

  protected override update(name: string, { value, gradient }: Current, scalars: SGDScalars): Tensor {
    const decayed = this.weightDecay > 0 ? gradient.add(value.mul(scalars.weightDecay)) : gradient;
    const state = this.#momenta.get(name);
    if (state === undefined) return value.sub(decayed.mul(scalars.learningRate));
    const momentum = state.value.mul(scalars.momentum).add(decayed);
    state.assign(momentum);
    const direction = this.nesterov ? decayed.add(momentum.mul(scalars.momentum)) : momentum;
    return value.sub(direction.mul(scalars.learningRate));
  }
}
