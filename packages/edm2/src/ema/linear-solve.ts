/** A matrix, row-major. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

/**
 * X of A X = B by LU factorization with partial pivoting, in float64.
 *
 * @throws when A is singular.
 *
 * @example
 * ```ts
 * const a = { rows: 2, columns: 2, data: Float64Array.of(2, 0, 0, 4) };
 * solveLinear(a, { rows: 2, columns: 1, data: Float64Array.of(2, 8) }).data; // [1, 2]
 * ```
 */
export function solveLinear(a: Matrix, b: Matrix): Matrix {
  const n = a.rows;
  const width = b.columns;
  const [lu, x] = [a.data.slice(), b.data.slice()];
  const swap = (list: Float64Array, columns: number, i: number, j: number) => {
    for (let c = 0; c < columns; c++) {
      const held = list[i * columns + c]!;
      list[i * columns + c] = list[j * columns + c]!;
      list[j * columns + c] = held;
    }
  };
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(lu[i * n + k]!) > Math.abs(lu[pivot * n + k]!)) pivot = i;
    const largest = lu[pivot * n + k]!;
    if (!(Math.abs(largest) > 0)) throw new Error(`solveLinear: the matrix is singular (column ${k} of ${n})`);
    if (pivot !== k) {
      swap(lu, n, k, pivot);
      swap(x, width, k, pivot);
    }
    for (let i = k + 1; i < n; i++) {
      const factor = lu[i * n + k]! / largest;
      if (factor === 0) continue;
      for (let j = k + 1; j < n; j++) lu[i * n + j]! -= factor * lu[k * n + j]!;
      for (let c = 0; c < width; c++) x[i * width + c]! -= factor * x[k * width + c]!;
    }
  }
  for (let k = n - 1; k >= 0; k--) {
    for (let c = 0; c < width; c++) {
      let sum = x[k * width + c]!;
      for (let j = k + 1; j < n; j++) sum -= lu[k * n + j]! * x[j * width + c]!;
      x[k * width + c] = sum / lu[k * n + k]!;
    }
  }
  return { rows: n, columns: width, data: x };
}
