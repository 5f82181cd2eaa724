import { addRowProducts } from './linear-algebra/row-products.ts';

/** Mean and covariance of the features of a set of images. */
export interface FeatureStatistics {
  /** Images that they are of; undefined where a file does not say. */
  readonly count?: number;
  /** `[D]`. */
  readonly mean: Float64Array;
  /** `[D, D]`, divided by count - 1. */
  readonly covariance: Float64Array;
}

/** Features that are held before their products are taken, so many at a time. */
const held = 64;

/**
 * Mean and covariance of features that come one batch after the other, summed in float64: memory is that of one covariance,
 * however many there are.
 *
 * @example
 * ```ts
 * const statistics = new RunningStatistics(2);
 * statistics.add([1, 0, 3, 0]); // two rows
 * statistics.add([2, 3]);
 * const { mean, covariance } = statistics.result();
 * mean; // [2, 1]
 * covariance; // [1, 0, 0, 3]
 * ```
 */
export class RunningStatistics {
  /** D, numbers a row. */
  readonly featureDim: number;
  #count = 0;
  readonly #sum: Float64Array;
  readonly #products: Float64Array;
  /** `[D, held]`: rows whose products are still to be taken, as columns. */
  readonly #waiting: Float64Array;
  #waitingCount = 0;

  constructor(featureDim: number) {
    if (!(Number.isSafeInteger(featureDim) && featureDim > 0)) {
      throw new RangeError(`RunningStatistics: features have at least 1 number, got ${featureDim}`);
    }
    this.featureDim = featureDim;
    this.#sum = new Float64Array(featureDim);
    this.#products = new Float64Array(featureDim ** 2);
    this.#waiting = new Float64Array(featureDim * held);
  }

  /** Rows so far. */
  get count(): number {
    return this.#count;
  }

  /**
   * @param features rows of D numbers each, `[N, D]`.
   * @throws RangeError when they are no whole rows, or one is not finite.
   */
  add(features: ArrayLike<number>): void {
    const size = this.featureDim;
    if (features.length % size !== 0) {
      throw new RangeError(`RunningStatistics: ${features.length} numbers are no rows of ${size}`);
    }
    for (let from = 0; from < features.length; from += size) {
      for (let i = 0; i < size; i++) {
        const value = features[from + i]!;
        if (!Number.isFinite(value)) throw new RangeError(`RunningStatistics: feature ${i} of a row is ${value}`);
        this.#sum[i]! += value;
        this.#waiting[i * held + this.#waitingCount] = value;
      }
      this.#count++;
      if (++this.#waitingCount === held) this.#takeProducts();
    }
  }

  /**
   * Source: the sample covariance, (sum f f' - n mu mu') / (n - 1).
   *
   * @throws RangeError with fewer than two rows.
   */
  result(): Required<FeatureStatistics> {
    const [size, count] = [this.featureDim, this.#count];
    if (count < 2) throw new RangeError(`RunningStatistics: a covariance needs at least 2 images, got ${count}`);
    this.#takeProducts();
    const mean = this.#sum.map((sum) => sum / count);
    const covariance = new Float64Array(size ** 2);
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        covariance[i * size + j] = (this.#products[i * size + j]! - count * mean[i]! * mean[j]!) / (count - 1);
      }
    }
    return { count, mean, covariance };
  }

  #takeProducts(): void {
    if (this.#waitingCount === 0) return;
    const rows = { rows: this.featureDim, columns: held, data: this.#waiting };
    addRowProducts(this.#products, rows, rows, true);
    this.#waiting.fill(0);
    this.#waitingCount = 0;
  }
}

/**
 * The statistics of a set in which each part counts alike, however many images it has: what images with evenly drawn
 * classes are held against where classes are of uneven size.
 *
 * @throws RangeError when there is no part or sizes differ.
 * @example
 * ```ts
 * const [rare, common] = [new RunningStatistics(1), new RunningStatistics(1)];
 * rare.add([0, 2]);
 * common.add([5, 5, 5, 5, 5, 5]);
 * evenMixture([rare.result(), common.result()]).mean; // [3]
 * ```
 */
export function evenMixture(parts: readonly Required<FeatureStatistics>[]): Required<FeatureStatistics> {
  const size = parts[0]?.mean.length ?? 0;
  if (size === 0 || parts.some(({ mean }) => mean.length !== size)) {
    throw new RangeError(
      `evenMixture: needs parts of one size, got ${parts.map(({ mean }) => mean.length).join(', ')}`,
    );
  }
  const share = 1 / parts.length;
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  const mean = new Float64Array(size);
  for (const part of parts) for (let i = 0; i < size; i++) mean[i]! += share * part.mean[i]!;
  const covariance = new Float64Array(size ** 2);
  for (const part of parts) {
    const scale = (share * (part.count - 1)) / part.count;
    for (let i = 0; i < size; i++) {
      const apart = share * (part.mean[i]! - mean[i]!);
      for (let j = 0; j < size; j++) {
        covariance[i * size + j]! += scale * part.covariance[i * size + j]! + apart * (part.mean[j]! - mean[j]!);
      }
    }
  }
  return { count, mean, covariance: covariance.map((value) => (value * count) / (count - 1)) };
}
