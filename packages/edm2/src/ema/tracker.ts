import type { HostArray } from '@evenkeel/formats';
import { Module, Parameter } from '@evenkeel/nn';
import { commit, type DType, isFloat, State, sameShape, showShape, type Tensor, tensor } from '@evenkeel/tensor';
import { emaBeta, exponentOfStd } from './profile.ts';

/** Options of {@link PowerFunctionEma}. */
export interface PowerFunctionEmaOptions {
  /** Lengths relative to training, 0 < std < 0.2887. @defaultValue [0.05, 0.1] */
  readonly stds?: readonly number[];
  /** Images seen before the first update. @defaultValue 0 */
  readonly images?: number;
}

/** What one update keeps of an average and takes of the target; together 1. */
export interface EmaShares<Scalar = number | Tensor> {
  readonly keep: Scalar;
  readonly take: Scalar;
}

/**
 * Averages of a model's Parameters over its training, by profiles that stretch with it: beta = (1 - batch / t)^(gamma + 1).
 * Snapshots of two of them are enough to make the average of any length afterwards (`solvePostHoc`).
 *
 * `update` only assigns cells, so it becomes part of the training step's one plan. Parameters of float dtype are
 * averaged; everything else that the target keeps (`Persistent`s, integers) is not, and is read where it stands.
 *
 * Source: arXiv 2312.02696, section 3.1, equation 127.
 *
 * @throws RangeError when a length is out of range or given twice.
 * @example
 * ```ts
 * const model = new Linear(2, 1);
 * const optimizer = new Adam(model);
 * const ema = new PowerFunctionEma(model, { stds: [0.05, 0.1] });
 * for (let step = 1; step <= 3; step++) {
 *   const loss = model.call(ones([8, 2])).square().mean();
 *   optimizer.step(loss);
 *   ema.update(8 * step); // images seen
 *   await commit(loss);
 * }
 * const values = await ema.snapshot(0.05); // name -> host array
 * [...values.keys()]; // ['weight', 'bias']
 * ```
 */
export class PowerFunctionEma {
  readonly stds: readonly number[];
  readonly #target: ReadonlyMap<string, State>;
  readonly #averages: ReadonlyMap<number, ReadonlyMap<string, State>>;
  #images: number;

  /** @param target a model, or cells by name. */
  constructor(target: Module | ReadonlyMap<string, State>, options: PowerFunctionEmaOptions = {}) {
    this.stds = options.stds ?? [0.05, 0.1];
    this.#images = options.images ?? 0;
    for (const std of this.stds) exponentOfStd(std);
    if (new Set(this.stds).size !== this.stds.length) {
      throw new RangeError(`PowerFunctionEma: stds [${this.stds.join(', ')}] hold one twice`);
    }
    this.#target = target instanceof Module ? statesOf(target) : target;
    const averaged = [...this.#target].filter(([, state]) => isAveraged(state, target instanceof Module));
    this.#averages = new Map(
      this.stds.map((std) => [
        std,
        new Map(averaged.map(([name, state]) => [name, new State(state.value, { path: `ema-${std}.${name}` })])),
      ]),
    );
  }

  /** Images seen at the last update. */
  get images(): number {
    return this.#images;
  }

  /** Names of what is averaged; the others are copied. */
  get averaged(): readonly string[] {
    return [...((this.#averages.values().next().value as ReadonlyMap<string, State> | undefined)?.keys() ?? [])];
  }

  /**
   * Takes the target's current values into the averages.
   *
   * @param images seen so far, those of this step included; inside `compile(fn)`, where a number would be baked in, what
   * {@link advance} gave for them, handed in as arguments of `fn`.
   * @throws RangeError unless images grow, or when the shares are not one for each average.
   */
  update(images: number | readonly EmaShares[]): void {
    const all = typeof images === 'number' ? this.advance(images) : images;
    if (all.length !== this.stds.length) {
      throw new RangeError(`PowerFunctionEma.update: got shares of ${all.length} averages, tracks ${this.stds.length}`);
    }
    [...this.#averages.values()].forEach((average, i) => {
      const shares = new Map<DType, EmaShares<Tensor>>();
      for (const [name, cell] of average) {
        let share = shares.get(cell.dtype);
        if (share === undefined) {
          const { keep, take } = all[i] as EmaShares;
          share = { keep: scalar(keep, cell.dtype), take: scalar(take, cell.dtype) };
          shares.set(cell.dtype, share);
        }
        const current = (this.#target.get(name) as State).value;
        cell.assign(cell.value.mul(share.keep).add(current.mul(share.take)));
      }
    });
  }

  /**
   * Counts images, and gives what {@link update} is to keep and take: one pair for each of {@link stds}.
   *
   * @param images seen so far, those of this step included.
   * @throws RangeError unless it grows.
   */
  advance(images: number): EmaShares<number>[] {
    const batch = images - this.#images;
    if (!(batch > 0)) {
      throw new RangeError(
        `PowerFunctionEma.update: images seen must grow, got ${images} after ${this.#images}. Give the total, with this step's`,
      );
    }
    this.#images = images;
    return this.stds.map((std) => {
      const keep = emaBeta({ std, images, batch });
      return { keep, take: 1 - keep };
    });
  }

  /**
   * Values by name, in the target's order: what a model of the same form loads. Handles on the cells as they are now.
   *
   * @throws when `std` is not tracked.
   */
  stateDict(std: number): Map<string, Tensor> {
    const average = this.#averages.get(std);
    if (average === undefined) {
      throw new Error(
        `PowerFunctionEma: tracks ${this.stds.join(', ')}, not ${std}. Reconstruct other lengths post hoc`,
      );
    }
    return new Map([...this.#target].map(([name, state]) => [name, (average.get(name) ?? state).value]));
  }

  /** The same, as host arrays: what `encodeSnapshot` writes. */
  async snapshot(std: number): Promise<Map<string, HostArray>> {
    return readStateDict(this.stateDict(std));
  }

  /**
   * Goes on from saved averages, of each length what {@link stateDict} gave; values that are not averaged are the target's
   * own, and left alone.
   *
   * @param images seen when they were saved.
   * @throws when a length or a name is missing, or a shape differs; nothing is assigned then.
   */
  restore(images: number, averages: ReadonlyMap<number, ReadonlyMap<string, Tensor>>): void {
    const assignments: [State, Tensor][] = [];
    for (const [std, cells] of this.#averages) {
      for (const [name, cell] of cells) {
        const value = averages.get(std)?.get(name);
        const wanted = `PowerFunctionEma.restore: wants ${name} of the average ${std}, ${showShape(cell.shape)}`;
        if (value === undefined) throw new Error(`${wanted}, got none`);
        if (!sameShape(value.shape, cell.shape)) throw new Error(`${wanted}, got ${showShape(value.shape)}`);
        assignments.push([cell, value]);
      }
    }
    for (const [cell, value] of assignments) cell.assign(value.dtype === cell.dtype ? value : value.cast(cell.dtype));
    this.#images = images;
  }

  /** Frees the averages. */
  dispose(): void {
    for (const average of this.#averages.values()) for (const cell of average.values()) cell.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/**
 * Values of all tensors by name, read together: what `writeSafetensors` and `encodeSnapshot` take.
 *
 * @example
 * ```ts
 * const model = new Linear(2, 1);
 * const bytes = writeSafetensors(await readStateDict(model.stateDict()));
 * ```
 */
export async function readStateDict(dict: ReadonlyMap<string, Tensor>): Promise<Map<string, HostArray>> {
  await commit(...dict.values());
  const arrays = new Map<string, HostArray>();
  for (const [name, value] of dict) {
    arrays.set(name, { dtype: value.dtype, shape: value.shape, data: await value.data() } as HostArray);
  }
  return arrays;
}

/**
 * Tensors of host arrays, as `loadStateDict` takes them.
 *
 * @example
 * ```ts
 * const model = new Linear(2, 1);
 * const bytes = writeSafetensors(await readStateDict(model.stateDict())); // or a file's
 * model.loadStateDict(stateDictOf(readSafetensors(bytes).tensors));
 * ```
 */
export function stateDictOf(arrays: ReadonlyMap<string, HostArray>): Map<string, Tensor> {
  return new Map(
    [...arrays].map(([name, { data, shape, dtype }]) => {
      const values = data as Float32Array;
      // Files hold float16 as decoded values: they are loaded as what they are held in.
      const kept = dtype === 'float16' ? {} : { dtype: dtype as Tensor['dtype'] };
      return [name, tensor(values, { shape, ...kept })];
    }),
  );
}

function statesOf(model: Module): ReadonlyMap<string, State> {
  const [parameters, buffers] = [model.namedParameters(), model.namedBuffers()];
  // The state dict has the order of registration.
  return new Map(
    [...model.stateDict().keys()].map((name) => [name, (parameters.get(name) ?? buffers.get(name)) as State]),
  );
}

function scalar(value: number | Tensor, dtype: DType): Tensor {
  if (typeof value === 'number') return tensor(value, { dtype });
  return value.dtype === dtype ? value : value.cast(dtype);
}

function isAveraged(state: State, ofModule: boolean): boolean {
  return isFloat(state.dtype) && (!ofModule || state instanceof Parameter);
}
