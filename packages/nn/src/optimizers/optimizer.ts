import { type DType, grad, type Shape, State, Tensor, tensor, zeros } from '@evenkeel/tensor';
import { zeroNonFinite } from '../module/finite.ts';
import { Module } from '../module/module.ts';
import type { Parameter } from '../module/parameter.ts';
import { type LoadOptions, type LoadReport, loadStates, type StateDict } from '../module/state-dict.ts';
import { requireAtLeast } from './hyperparameter.ts';

/** What an optimizer trains: a model, its named Parameters, or a list of them (named by their places). */
export type Trainable = Module | ReadonlyMap<string, Parameter> | Iterable<Parameter>;

/** Options of every optimizer. */
export interface OptimizerOptions {
  /** Step size where `step` is given none. */
  readonly learningRate?: number;
  /** Whether NaN and infinities in gradients become 0 before anything else. @defaultValue false */
  readonly sanitize?: boolean;
}

/** Options of {@link Optimizer.step}. */
export interface StepOptions {
  /**
   * This step's size. A number never causes a new plan; inside `compile(fn)` pass an argument of `fn` or a cell's value,
   * since a number would be baked in. @defaultValue the optimizer's
   */
  readonly learningRate?: number | Tensor;
}

/** What an optimizer computes and keeps in: float16 Parameters are stored rounded, their averages are not. */
export type StateDType = 'float32' | 'float64';

/** A Parameter at a step, in the dtype that the optimizer computes in. */
export interface Current {
  readonly value: Tensor;
  readonly gradient: Tensor;
}

/**
 * What optimizers share. `step` only assigns cells: the new values are current at once, `commit` computes them together
 * with all that was assigned before, in one plan.
 *
 * Its state lives in cells (made at once, so that memory is constant from the first step), step counts included:
 * `compile(fn)` replays with the right ones, and a state dict restores the optimizer bit for bit.
 *
 * @example
 * ```ts
 * function trainOn(loss: Tensor, optimizer: Optimizer) {
 *   optimizer.step(loss, { learningRate: 0.1 });
 *   return commit(loss);
 * }
 * using weight = new Parameter(tensor([1, 2]));
 * await trainOn(weight.value.square().sum(), new SGD([weight])); // any of them: SGD, Adam, AdamW, one of yours
 * await weight.value.array(); // [0.8, 1.6]
 * ```
 */
export abstract class Optimizer<Scalars = unknown> {
  /** What is trained, by name: the Parameters whose `requiresGrad` was set when the optimizer was made. */
  readonly parameters: ReadonlyMap<string, Parameter>;
  learningRate: number;
  readonly sanitize: boolean;
  readonly #states = new Map<string, State>();

  protected constructor(target: Trainable, options: OptimizerOptions, learningRate: number) {
    this.parameters = parametersOf(target);
    this.learningRate = requireAtLeast(this.constructor.name, 'learningRate', options.learningRate ?? learningRate, 0);
    this.sanitize = options.sanitize ?? false;
    if (this.parameters.size === 0) {
      throw new Error(`${this.constructor.name}: got no Parameters to train. Are all of them frozen (requiresGrad)?`);
    }
  }

  /**
   * Assigns the next values of all Parameters and of the optimizer's state.
   *
   * @param loss a scalar, differentiated by the Parameters' current values; or the gradients themselves, in the order
   * of {@link parameters}.
   * @throws when the loss is not a float scalar, or gradients differ from the Parameters in number or shape.
   */
  step(loss: Tensor | readonly Tensor[], options: StepOptions = {}): void {
    const gradients = this.#gradients(loss);
    const learningRate = options.learningRate ?? this.learningRate;
    if (typeof learningRate === 'number')
      requireAtLeast(`${this.constructor.name}.step`, 'learningRate', learningRate, 0);
    this.begin();
    // One node for each number of a step, so that each travels once however many Parameters there are.
    const scalars = new Map<StateDType, Scalars>();
    let index = 0;
    for (const [name, parameter] of this.parameters) {
      const dtype = stateDType(parameter);
      let shared = scalars.get(dtype);
      if (shared === undefined) {
        shared = this.scalars(
          dtype,
          typeof learningRate === 'number' ? tensor(learningRate, { dtype }) : asDType(learningRate, dtype),
        );
        scalars.set(dtype, shared);
      }
      const value = asDType(parameter.value, dtype);
      const gradient = asDType(gradients[index++] as Tensor, dtype);
      parameter.assign(asDType(this.update(name, { value, gradient }, shared), parameter.dtype));
    }
  }

  /** The optimizer's state by name: `<parameter>.<average>` and what counts steps. */
  stateDict(): Map<string, Tensor> {
    return new Map([...this.#states].map(([name, state]) => [name, state.value]));
  }

  /**
   * Assigns a state saved by {@link stateDict}, after checking all of it.
   *
   * @throws one line naming what is missing, unexpected or of wrong shape or dtype.
   */
  loadStateDict(dict: StateDict, options: LoadOptions = {}): LoadReport {
    return loadStates(this.constructor.name, this.#states, dict, options);
  }

  /** Frees the optimizer's state; the Parameters belong to their module. */
  dispose(): void {
    for (const state of this.#states.values()) state.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Called once a step, before the Parameters' updates. */
  protected begin(): void {}

  /** What the updates of all Parameters of one dtype share. */
  protected abstract scalars(dtype: StateDType, learningRate: Tensor): Scalars;

  /** The value that follows, for one Parameter; assigns its averages on the way. */
  protected abstract update(name: string, current: Current, scalars: Scalars): Tensor;

  /** Makes a cell of zeros that belongs to the state dict under `name`. */
  protected createState(name: string, shape: Shape, dtype: DType): State {
    const state = new State(zeros(shape, { dtype }));
    state.path = `${this.constructor.name}.${name}`;
    this.#states.set(name, state);
    return state;
  }

  /** A cell of zeros for each Parameter. */
  protected createStates(slot: string): Map<string, State> {
    return new Map(
      [...this.parameters].map(([name, parameter]) => [
        name,
        this.createState(`${name}.${slot}`, parameter.shape, stateDType(parameter)),
      ]),
    );
  }

  #gradients(loss: Tensor | readonly Tensor[]): readonly Tensor[] {
    const parameters = [...this.parameters];
    const where = `${this.constructor.name}.step`;
    const gradients =
      loss instanceof Tensor
        ? grad(
            loss,
            parameters.map(([, parameter]) => parameter.value),
          )
        : loss;
    if (gradients.length !== parameters.length) {
      throw new Error(`${where}: got ${gradients.length} gradients for ${parameters.length} Parameters`);
    }
    parameters.forEach(([name, parameter], index) => {
      const { shape } = gradients[index] as Tensor;
      if (shape.length !== parameter.shape.length || shape.some((size, axis) => size !== parameter.shape[axis])) {
        throw new Error(
          `${where}: the gradient of ${name} has shape [${shape.join(', ')}], the Parameter [${parameter.shape.join(', ')}]. Give gradients in the order of optimizer.parameters`,
        );
      }
    });
    return this.sanitize ? gradients.map(zeroNonFinite) : gradients;
  }
}

/** Parameters to train by name, frozen ones left out. */
export function parametersOf(target: Trainable): ReadonlyMap<string, Parameter> {
  const named =
    target instanceof Module
      ? target.namedParameters()
      : target instanceof Map
        ? (target as ReadonlyMap<string, Parameter>)
        : new Map([...(target as Iterable<Parameter>)].map((parameter, index) => [String(index), parameter]));
  return new Map([...named].filter(([, parameter]) => parameter.requiresGrad));
}

export function stateDType(parameter: Parameter): StateDType {
  return parameter.dtype === 'float64' ? 'float64' : 'float32';
}

function asDType(x: Tensor, dtype: Tensor['dtype']): Tensor {
  return x.dtype === dtype ? x : x.cast(dtype);
}
