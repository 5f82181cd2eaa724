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

/** One step's times, in images. */
export interface EmaTime {
  /** Seen so far, those of the step included. */
  readonly images: number;
  /** Of the step. */
  readonly batch: number;
}

/**
 * Averages of a model's Parameters over its training, one for each of some lengths: what {@link PowerFunctionEma} and
 * {@link TraditionalEma} share. A subclass says how much of an average an update keeps.
 *
 * `update` only assigns cells, so it becomes part of the training step's one plan. Parameters of float dtype are
 * averaged; everything else that the target keeps (`Persistent`s, integers) is not, and is read where it stands.
 *
 * @example
 * ```ts
 * class EqualAverage extends WeightAverages {
 *   protected override keptShare(_length: number, { images, batch }: EmaTime) {
 *     return 1 - batch / images;
 *   }
 * }
 * const model = new Linear(2, 1);
 * const mean = new EqualAverage(model, [1]);
 * mean.update(8);
 * ```
 */
export abstract class WeightAverages {
  /** What tells the averages apart, each above 0. */
  readonly lengths: readonly number[];
  readonly #target: ReadonlyMap<string, State>;
  readonly #averages: ReadonlyMap<number, ReadonlyMap<string, State>>;
  #images: number;

  /**
   * @param target a model, or cells by name.
   * @param images seen before the first update.
   */
  constructor(target: Module | ReadonlyMap<string, State>, lengths: readonly number[], images = 0) {
    this.lengths = lengths;
    this.#images = images;
    if (new Set(lengths).size !== lengths.length) {
      throw new RangeError(`WeightAverages: lengths [${lengths.join(', ')}] hold one twice`);
    }
    this.#target = target instanceof Module ? statesOf(target) : target;
    const averaged = [...this.#target].filter(([, state]) => isAveraged(state, target instanceof Module));
    this.#averages = new Map(
      lengths.map((length) => [
        length,
        new Map(averaged.map(([name, state]) => [name, new State(state.value, { path: `ema-${length}.${name}` })])),
      ]),
    );
  }

  /** How much of the average of that length a step keeps, 0 to 1. */
  protected abstract keptShare(length: number, time: EmaTime): number;

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
    if (all.length !== this.lengths.length) {
      throw new RangeError(
        `WeightAverages.update: got shares of ${all.length} averages, tracks ${this.lengths.length}`,
      );
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
   * Counts images, and gives what {@link update} is to keep and take: one pair for each of {@link lengths}.
   *
   * @param images seen so far, those of this step included.
   * @throws RangeError unless it grows.
   */
  advance(images: number): EmaShares<number>[] {
    const batch = images - this.#images;
    if (!(batch > 0)) {
      throw new RangeError(
        `WeightAverages.update: images seen must grow, got ${images} after ${this.#images}. Give the total, with this step's`,
      );
    }
    this.#images = images;
    return this.lengths.map((length) => {
      const keep = this.keptShare(length, { images, batch });
      return { keep, take: 1 - keep };
    });
  }

  /**
   * Values by name, in the target's order: what a model of the same form loads. Handles on the cells as they are now.
   *
   * @throws when `length` is not tracked.
   */
  stateDict(length: number): Map<string, Tensor> {
    const average = this.#averages.get(length);
    if (average === undefined) {
      throw new Error(
        `WeightAverages: tracks ${this.lengths.join(', ')}, not ${length}. Reconstruct other lengths of power-function averages post hoc`,
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
        const wanted = `WeightAverages.restore: wants ${name} of the average ${std}, ${showShape(cell.shape)}`;
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
 * Averages by profiles that stretch with the training: beta = (1 - batch / t)^(gamma + 1). Snapshots of two of them are
 * enough to make the average of any length afterwards ({@link reconstruct}).
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
export class PowerFunctionEma extends WeightAverages {
  /** @param target a model, or cells by name. */
  constructor(target: Module | ReadonlyMap<string, State>, options: PowerFunctionEmaOptions = {}) {
    const { stds = [0.05, 0.1], images = 0 } = options;
    for (const std of stds) exponentOfStd(std);
    super(target, stds, images);
  }

  /** Lengths relative to training. */
  get stds(): readonly number[] {
    return this.lengths;
  }

  protected override keptShare(std: number, { images, batch }: EmaTime): number {
    return emaBeta({ std, images, batch });
  }
}

/** Options of {@link TraditionalEma}. */
export interface TraditionalEmaOptions {
  /** Images after which a value counts half; one average each. */
  readonly halfLives: readonly number[];
  /**
   * Half-lives are at most this share of the images seen, so that first weights are soon forgotten; undefined for none.
   * @defaultValue 0.09
   */
  readonly rampup?: number | undefined;
  /** Images seen before the first update. @defaultValue 0 */
  readonly images?: number;
}

/**
 * Averages whose memory fades exponentially, as most trainers keep them: beta = 0.5^(batch / h), h the half-life or, early
 * on, `rampup` of the images seen. Their length is fixed when training starts: no other can be made of snapshots of them.
 *
 * Source: arXiv 2206.00364, appendix F.
 *
 * @throws RangeError when a half-life or the ramp-up is not above 0, or one is given twice.
 * @example
 * ```ts
 * const model = new Linear(2, 1);
 * const ema = new TraditionalEma(model, { halfLives: [500_000] });
 * ema.advance(1000); // [{ keep: 0.0004521, take: 0.9995 }]
 * ```
 */
export class TraditionalEma extends WeightAverages {
  readonly #rampup: number;

  /** @param target a model, or cells by name. */
  constructor(target: Module | ReadonlyMap<string, State>, options: TraditionalEmaOptions) {
    const { halfLives, images = 0 } = options;
    const rampup = 'rampup' in options ? (options.rampup ?? Number.POSITIVE_INFINITY) : 0.09;
    const odd = [...halfLives, rampup].find((value) => !(value > 0));
    if (odd !== undefined) {
      throw new RangeError(`TraditionalEma: half-lives and ramp-up must be above 0, got ${odd}`);
    }
    super(target, halfLives, images);
    this.#rampup = rampup;
  }

  /** Images after which a value counts half. */
  get halfLives(): readonly number[] {
    return this.lengths;
  }

  protected override keptShare(halfLife: number, { images, batch }: EmaTime): number {
    return 0.5 ** (batch / Math.min(halfLife, this.#rampup * images));
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
