import type { HostArray } from '@evenkeel/formats';
import { solvePostHoc } from './post-hoc.ts';
import type { EmaProfile } from './profile.ts';

/** A stored average: when and how long it is, and how to read it. */
export interface StoredEma extends EmaProfile {
  /** Reads the values by name; called once, and let go of before the next. */
  load(): Promise<ReadonlyMap<string, HostArray>> | ReadonlyMap<string, HostArray>;
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
}

/**
 * Averages of any length, made after training from stored ones: one Map of values for each target. Reads one snapshot at
 * a time; sums in float32 (float64 for float64 values).
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
  targets: readonly EmaProfile[],
  options: ReconstructOptions = {},
): Promise<Map<string, HostArray>[]> {
  const weights = solvePostHoc(snapshots, targets);
  if (targets.length === 0) return [];
  const copied = new Set(options.copied ?? []);
  const last = newest(snapshots);
  const sums = targets.map(() => new Map<string, HostArray>());
  for (const [index, snapshot] of snapshots.entries()) {
    options.onSnapshot?.(index);
    const values = await snapshot.load();
    if (index > 0) checkSame(sums[0] as ReadonlyMap<string, HostArray>, values, snapshot);
    for (const [name, array] of values) {
      const averaged = isReal(array) && !copied.has(name);
      for (const [target, sum] of sums.entries()) {
        if (index === 0) sum.set(name, averaged ? zerosOf(array) : array);
        if (averaged) addTo(sum.get(name) as HostArray, array, weights.data[index * targets.length + target]!);
        else if (index === last) sum.set(name, array);
      }
    }
  }
  return sums;
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

function checkSame(
  first: ReadonlyMap<string, HostArray>,
  values: ReadonlyMap<string, HostArray>,
  { images, std }: EmaProfile,
): void {
  const fail = (what: string) =>
    new Error(`reconstruct: the snapshot at ${images} images, std ${std}, ${what}. Are all of one model?`);
  for (const [name, { shape }] of first) {
    const array = values.get(name);
    if (array === undefined) throw fail(`lacks ${name}`);
    if (array.shape.length !== shape.length || array.shape.some((size, axis) => size !== shape[axis])) {
      throw fail(`has ${name} of shape [${array.shape.join(', ')}], the first [${shape.join(', ')}]`);
    }
  }
  const extra = [...values.keys()].find((name) => !first.has(name));
  if (extra !== undefined) throw fail(`has ${extra}, which the first has not`);
}
