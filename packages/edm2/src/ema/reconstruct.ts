import type { HostArray } from '@evenkeel/formats';
import { fitPostHoc, fitWarning, type PostHocFit } from './fit.ts';
import { solvePostHoc } from './post-hoc.ts';
import type { EmaProfile } from './profile.ts';
import { stdOfTensor, type TensorStd } from './tensor-std.ts';

/** Values by name: a Map, or pairs that are read one after the other, so that only one is in memory. */
export type NamedValues = Iterable<readonly [string, HostArray]> | AsyncIterable<readonly [string, HostArray]>;

/** A stored average: when and how long it is, and how to read it. */
export interface StoredEma extends EmaProfile {
  /** Reads the values by name; called once, and let go of before the next. */
  load(): Promise<NamedValues> | NamedValues;
}

/** An average to be made. */
export interface ReconstructionTarget {
  /** Its time; one at which snapshots exist, or results are poor. */
  readonly images: number;
  /** Its length, which may differ from tensor to tensor. */
  readonly std: TensorStd;
}

/** Options of {@link reconstruct}. */
export interface ReconstructOptions {
  /**
   * Names to take from the last snapshot instead of averaging them: what the model keeps but does not train. Arrays of
   * whole numbers always are.
   */
  readonly copied?: Iterable<string>;
  /** Called before each snapshot is read. */
  readonly onSnapshot?: (index: number) => void;
  /** Told of each length for which weights were solved, once a target, as soon as it is known. */
  readonly onFit?: (fit: PostHocFit, target: ReconstructionTarget) => void;
  /** Told of lengths that the snapshots do not span. @defaultValue `console.warn` */
  readonly onWarning?: (message: string) => void;
}

/**
 * Averages of any length, made after training from stored ones: one Map of values for each target. Memory holds the
 * results, and of the snapshots one tensor at a time where they are read so (`openSnapshot` of `@evenkeel/edm2/node`),
 * however many there are. Sums in float32 (float64 for float64 values).
 *
 * @throws when snapshots differ in names, shapes or dtypes; what {@link solvePostHoc} throws.
 * @example
 * ```ts
 * const model = new Linear(2, 1);
 * const ema = new PowerFunctionEma(model, { stds: [0.05, 0.1] });
 * const stored: StoredEma[] = [];
 * for (const images of [1000, 2000]) {
 *   ema.update(images);
 *   for (const std of ema.stds) {
 *     const values = await ema.snapshot(std); // written to a file, and read again by `load`
 *     stored.push({ images, std, load: () => values });
 *   }
 * }
 * const [values = new Map()] = await reconstruct(stored, [{ images: 2000, std: 0.07 }]);
 * model.loadStateDict(stateDictOf(values));
 * ```
 */
export async function reconstruct(
  snapshots: readonly StoredEma[],
  targets: readonly ReconstructionTarget[],
  options: ReconstructOptions = {},
): Promise<Map<string, HostArray>[]> {
  solvePostHoc(snapshots, []);
  const solvers = targets.map((target) => new TargetWeights(snapshots, target, options));
  if (targets.length === 0) return [];
  const copied = new Set(options.copied ?? []);
  const last = newest(snapshots);
  const sums = targets.map(() => new Map<string, HostArray>());
  for (const [index, snapshot] of snapshots.entries()) {
    options.onSnapshot?.(index);
    const check = index === 0 ? undefined : new SameTensors(sums[0] as ReadonlyMap<string, HostArray>, snapshot);
    for await (const [name, array] of await snapshot.load()) {
      if (check?.isKnown(name, array) === false) continue;
      const averaged = isReal(array) && !copied.has(name);
      for (const [target, sum] of sums.entries()) {
        if (index === 0) sum.set(name, averaged ? zerosOf(array) : array);
        if (averaged) addTo(sum.get(name) as HostArray, array, (solvers[target] as TargetWeights).of(name)[index]!);
        else if (index === last) sum.set(name, array);
      }
    }
    check?.finish();
  }
  return sums;
}

/** Weights of one target's tensors, solved once for each length among them. */
class TargetWeights {
  readonly #snapshots: readonly EmaProfile[];
  readonly #target: ReconstructionTarget;
  readonly #options: ReconstructOptions;
  readonly #fits = new Map<number, PostHocFit>();

  constructor(snapshots: readonly EmaProfile[], target: ReconstructionTarget, options: ReconstructOptions) {
    this.#snapshots = snapshots;
    this.#target = target;
    this.#options = options;
    // Lengths that are known are judged before anything is read.
    if (typeof target.std === 'number') this.#fit(target.std);
    else if (typeof target.std !== 'function') for (const [, std] of target.std) this.#fit(std);
  }

  of(name: string): Float64Array {
    return this.#fit(stdOfTensor(this.#target.std, name)).weights;
  }

  #fit(std: number): PostHocFit {
    const known = this.#fits.get(std);
    if (known !== undefined) return known;
    const fit = fitPostHoc(this.#snapshots, { images: this.#target.images, std });
    this.#fits.set(std, fit);
    this.#options.onFit?.(fit, this.#target);
    const warning = fitWarning(fit);
    if (warning !== undefined) (this.#options.onWarning ?? console.warn)(`reconstruct: ${warning}`);
    return fit;
  }
}

function newest(snapshots: readonly EmaProfile[]): number {
  return snapshots.reduce((best, { images }, index) => (images >= snapshots[best]!.images ? index : best), 0);
}

function isReal({ dtype }: HostArray): boolean {
  return dtype.startsWith('float');
}

/** float16 values are summed, and kept, in float32. */
function zerosOf({ dtype, shape, data }: HostArray): HostArray {
  return dtype === 'float64'
    ? { dtype, shape, data: new Float64Array(data.length) }
    : { dtype: 'float32', shape, data: new Float32Array(data.length) };
}

function addTo(sum: HostArray, values: HostArray, weight: number): void {
  const into = sum.data as Float32Array;
  const from = values.data as Float32Array;
  const factor = sum.dtype === 'float64' ? weight : Math.fround(weight);
  for (let i = 0; i < into.length; i++) into[i]! += factor * from[i]!;
}

/** Holds a snapshot to the names and shapes of the first. */
class SameTensors {
  readonly #first: ReadonlyMap<string, HostArray>;
  readonly #missing: Set<string>;
  readonly #snapshot: EmaProfile;
  #extra: string | undefined;

  constructor(first: ReadonlyMap<string, HostArray>, snapshot: EmaProfile) {
    this.#first = first;
    this.#missing = new Set(first.keys());
    this.#snapshot = snapshot;
  }

  isKnown(name: string, array: HostArray): boolean {
    const expected = this.#first.get(name);
    if (expected === undefined) {
      this.#extra ??= name;
      return false;
    }
    this.#missing.delete(name);
    const [shape, wanted] = [array.shape.join(', '), expected.shape.join(', ')];
    if (shape !== wanted) throw this.#error(`has ${name} of shape [${shape}], the first [${wanted}]`);
    return true;
  }

  finish(): void {
    const [missing] = this.#missing;
    if (missing !== undefined) throw this.#error(`lacks ${missing}`);
    if (this.#extra !== undefined) throw this.#error(`has ${this.#extra}, which the first has not`);
  }

  #error(what: string): Error {
    const { images, std } = this.#snapshot;
    return new Error(`reconstruct: the snapshot at ${images} images, std ${std}, ${what}. Are all of one model?`);
  }
}
