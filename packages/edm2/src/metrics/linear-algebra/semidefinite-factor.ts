import type { RowMatrix } from './row-products.ts';

/**
 * L' of a symmetric positive semidefinite matrix S = L L', `[rank, n]`: Cholesky's factor with pivoting, which ends where
 * nothing but rounding is left. A covariance of fewer samples than dimensions has a low rank.
 */
export function semidefiniteFactor(matrix: Float64Array, n: number): RowMatrix {
  const left = Float64Array.from({ length: n }, (_, i) => matrix[i * n + i]!);
  const enough = n * Number.EPSILON * left.reduce((most, value) => Math.max(most, value), 0);
  const factor = new Float64Array(n * n); // L, row by row
  const open = Array.from({ length: n }, (_, i) => i);
  let rank = 0;
  while (open.length > 0) {
    let place = 0;
    for (let at = 1; at < open.length; at++) if (left[open[at]!]! > left[open[place]!]!) place = at;
    const pivot = open[place]!;
    if (!(left[pivot]! > enough)) break;
    open[place] = open.at(-1) as number;
    open.pop();
    const root = Math.sqrt(left[pivot]!);
    factor[pivot * n + rank] = root;
    for (const i of open) {
      const value = (matrix[pivot * n + i]! - innerProduct(factor, i * n, pivot * n, rank)) / root;
      factor[i * n + rank] = value;
      left[i]! -= value * value;
    }
    rank++;
  }
  const data = new Float64Array(rank * n);
  for (let i = 0; i < n; i++) for (let k = 0; k < rank; k++) data[k * n + i] = factor[i * n + k]!;
  return { rows: rank, columns: n, data };
}

/** Of two stretches of `values`; four sums, for what a processor can do at once. */
function innerProduct(values: Float64Array, a: number, b: number, length: number): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  let k = 0;
  for (; k + 3 < length; k += 4) {
    s0 += values[a + k]! * values[b + k]!;
    s1 += values[a + k + 1]! * values[b + k + 1]!;
    s2 += values[a + k + 2]! * values[b + k + 2]!;
    s3 += values[a + k + 3]! * values[b + k + 3]!;
  }
  for (; k < length; k++) s0 += values[a + k]! * values[b + k]!;
  return s0 + s1 + (s2 + s3);
}
