import { type State, type Tensor, tensor } from '@evenkeel/tensor';
import { requireAtLeast, requireDecay } from './hyperparameter.ts';
import { type Current, Optimizer, type OptimizerOptions, type StateDType, type Trainable } from './optimizer.ts';

/** Options of {@link Adam} and {@link AdamW}. */
export interface AdamOptions extends OptimizerOptions {
  /** Decay of the averages of the gradient and of its square. @defaultValue [0.9, 0.999] */
  readonly betas?: readonly [number, number];
  /** Added to the root of the second average. @defaultValue 1e-8 */
  readonly epsilon?: number;
  /** Pulls towards 0; {@link Adam} adds it to the gradient, {@link AdamW} to the step. @defaultValue 0 (AdamW 0.01) */
  readonly weightDecay?: number;
}

/** The numbers of one step. */
export interface AdamScalars {
  readonly beta1: Tensor;
  /** 1 - beta1 */
  readonly rest1: Tensor;
  readonly beta2: Tensor;
  /** 1 - beta2 */
  readonly rest2: Tensor;
  readonly epsilon: Tensor;
  readonly weightDecay: Tensor;
  readonly learningRate: Tensor;
  /** Learning rate over the first average's correction, 1 - beta1^k. */
  readonly size: Tensor;
  /** Root of the second average's correction, 1 - beta2^k. */
  readonly rootCorrection: Tensor;
}

/**
 * Adam (Kingma and Ba 2015, algorithm 1), with L2 weight decay added to the gradient g:
 * m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; p -= lr / (1 - b1^k) m / (sqrt(v / (1 - b2^k)) + epsilon).
 * Default learning rate 0.001.
 *
 * The number of steps k is a cell, so that replayed plans count too; 1 - b^k is computed from it as
 * 2 t / (t - 1) with t = tanh(k ln(b) / 2), which loses no digits where b^k is close to 1.
 *
 * @example
 * ```ts
 * const model = new Linear(2, 1);
 * const optimizer = new Adam(model, { betas: [0.9, 0.99], sanitize: true });
 * for (let step = 0; step < 3; step++) {
 *   const loss = model.call(ones([8, 2])).square().mean();
 *   optimizer.step(loss, { learningRate: 0.01 / (1 + step) });
 *   await commit(loss);
 * }
 * ```
 */
export class Adam extends Optimizer<AdamScalars> {
  readonly betas: readonly [number, number];
  readonly epsilon: number;
  readonly weightDecay: number;
  readonly #first: Map<string, State>;
  readonly #second: Map<string, State>;
  readonly #step: State;

  constructor(target: Trainable, options: AdamOptions = {}) {
    super(target, options, 1e-3);
    const where = this.constructor.name;
    const [beta1, beta2] = options.betas ?? [0.9, 0.999];
    this.betas = [requireDecay(where, 'betas[0]', beta1), requireDecay(where, 'betas[1]', beta2)];
    this.epsilon = requireAtLeast(where, 'epsilon', options.epsilon ?? 1e-8, 0);
    this.weightDecay = requireAtLeast(where, 'weightDecay', options.weightDecay ?? 0, 0);
    this.#first = this.createStates('firstMoment');
    this.#second = this.createStates('secondMoment');
    this.#step = this.createState('step', [], 'int32');
  }

  protected override begin(): void {
    this.#step.assign(this.#step.value.add(1));
  }

  protected override scalars(dtype: StateDType, learningRate: Tensor): AdamScalars {
    const scalar = (value: number): Tensor => tensor(value, { dtype });
    const count = this.#step.value.cast(dtype);
    const correction = (beta: number): Tensor => {
      const t = count.mul(scalar(Math.log(beta) / 2)).tanh();
      return t.add(t).div(t.sub(1));
    };
    const [beta1, beta2] = this.betas;
    return {
      beta1: scalar(beta1),
      rest1: scalar(1 - beta1),
      beta2: scalar(beta2),
      rest2: scalar(1 - beta2),
      epsilon: scalar(this.epsilon),
      weightDecay: scalar(this.weightDecay),
      learningRate,
      size: learningRate.div(correction(beta1)),
      rootCorrection: correction(beta2).sqrt(),
    };
  }

  protected override update(name: string, { value, gradient }: Current, scalars: AdamScalars): Tensor {
    const g = this.decayGradient(value, gradient, scalars);
    const first = this.#first.get(name) as State;
    const second = this.#second.get(name) as State;
    const m = first.value.mul(scalars.beta1).add(g.mul(scalars.rest1));
    const v = second.value.mul(scalars.beta2).add(g.square().mul(scalars.rest2));
    first.assign(m);
    second.assign(v);
    const root = v.sqrt().div(scalars.rootCorrection).add(scalars.epsilon);
    return this.decayValue(value, scalars).sub(m.div(root).mul(scalars.size));
  }

  /** The gradient with Adam's weight decay in it. */
  protected decayGradient(value: Tensor, gradient: Tensor, { weightDecay }: AdamScalars): Tensor {
    return this.weightDecay > 0 ? gradient.add(value.mul(weightDecay)) : gradient;
  }

  /** The value that the step starts from. */
  protected decayValue(value: Tensor, _scalars: AdamScalars): Tensor {
    return value;
  }
}
