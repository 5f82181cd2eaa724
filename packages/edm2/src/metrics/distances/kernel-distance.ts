import { Generator } from '@evenkeel/tensor';
import { addRowProducts, type RowMatrix } from '../linear-algebra/row-products.ts';

/** Options of {@link kernelDistance}. */
export interface KernelDistanceOptions {
  /** How many pairs of subsets it is measured on. @defaultValue 100 */
  readonly subsets?: number;
  /** Images in a subset; fewer where a set has fewer. @defaultValue 1000 */
  readonly subsetSize?: number;
  /** Which images are drawn. @defaultValue 0 */
  readonly seed?: number;
}

/** What {@link kernelDistance} finds. */
export interface KernelDistance {
  /** Mean over subsets. An unbiased estimate: near 0, and below it too, where the sets are alike. */
  readonly value: number;
  /** Standard deviation over subsets; 0 for one subset. */
  readonly std: number;
  /** `std / sqrt(subsets)`, the error of `value` as an estimate of what infinitely many subsets of these sets give. */
  readonly standardError: number;
}

/**
 * The squared maximum mean discrepancy of two sets of features, with the kernel (x y / D + 1)^3: of Inception features it
 * is KID. Unlike the Fréchet distance it takes nothing as normal, and few images do not bias it.
 *
 * Source: arXiv 1801.01401, section 4 and appendix C (the unbiased estimator).
 *
 * @param a rows of D features each, `[N, D]`.
 * @param b rows of D features each, `[M, D]`.
 * @throws RangeError when there are no whole rows, or fewer than 2 in a set.
 * @example
 * ```ts
 * const random = new Generator(0);
 * const [a, b] = [await random.normal([500, 4]).data(), await random.normal([500, 4], { mean: 1 }).data()];
 * kernelDistance(a, b, 4).value > 1; // true
 * ```
 */
export function kernelDistance(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  featureDim: number,
  options: KernelDistanceOptions = {},
): KernelDistance {
  const { subsets = 100, seed = 0 } = options;
  const [countA, countB] = [a.length / featureDim, b.length / featureDim];
  if (![countA, countB].every((count) => Number.isInteger(count) && count >= 2)) {
    throw new RangeError(
      `kernelDistance: needs at least 2 rows of ${featureDim} numbers in both sets, got ${a.length} and ${b.length} numbers`,
    );
  }
  const size = Math.min(options.subsetSize ?? 1000, countA, countB);
  if (!(Number.isInteger(subsets) && subsets >= 1 && Number.isInteger(size) && size >= 2)) {
    throw new RangeError(`kernelDistance: ${subsets} subsets of ${size} images. Give at least 1 of at least 2`);
  }
  const random = new Generator(seed);
  const values = Array.from({ length: subsets }, () => {
    const [x, y] = [drawnRows(a, featureDim, size, random), drawnRows(b, featureDim, size, random)];
    return meanKernel(x, x) + meanKernel(y, y) - 2 * meanKernel(x, y);
  });
  const value = values.reduce((sum, one) => sum + one, 0) / subsets;
  const square = values.reduce((sum, one) => sum + (one - value) ** 2, 0);
  const std = subsets === 1 ? 0 : Math.sqrt(square / (subsets - 1));
  return { value, std, standardError: std / Math.sqrt(subsets) };
}

/** `count` different rows. */
function drawnRows(features: ArrayLike<number>, columns: number, count: number, random: Generator): RowMatrix {
  const order = random.shuffle(features.length / columns);
  const data = new Float64Array(count * columns);
  for (let row = 0; row < count; row++) {
    const from = order[row]! * columns;
    for (let i = 0; i < columns; i++) data[row * columns + i] = features[from + i]!;
  }
  return { rows: count, columns, data };
}

/** Mean kernel of all pairs; within one set, of pairs of different rows. */
function meanKernel(x: RowMatrix, y: RowMatrix): number {
  const { rows: n, columns } = x;
  const products = new Float64Array(n * n);
  addRowProducts(products, x, y, x === y);
  let sum = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      if (x === y && i === j) continue;
      const base = products[i * n + j]! / columns + 1;
      sum += base * base * base;
    }
  }
  return sum / (x === y ? n * (n - 1) : n * n);
}
