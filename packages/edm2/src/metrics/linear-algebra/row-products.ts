/** Rows of equal length, one after the other. */
export interface RowMatrix {
  readonly rows: number;
  readonly columns: number;
  /** `[rows, columns]`, row-major. */
  readonly data: Float64Array;
}

/** Columns that are summed before the next ones: so many of eight rows stay in the first-level cache. */
const strip = 256;

/**
 * Adds `a b'` to `into`, `[a.rows, b.rows]`: the inner products of all rows of `a` with all rows of `b`. `symmetric` says
 * that the result is a symmetric matrix: only half of it is computed.
 *
 * The order of summation depends on the sizes alone.
 */
export function addRowProducts(into: Float64Array, a: RowMatrix, b: RowMatrix, symmetric = false): void {
  const { rows: m, columns: k } = a;
  const n = b.rows;
  for (let from = 0; from < k; from += strip) {
    const to = Math.min(from + strip, k);
    for (let i = 0; i < m; i += 2) {
      const last = symmetric ? Math.min(i + 2, n) : n;
      for (let j = 0; j < last; j += 4) addBlock(into, a, b, i, j, from, to);
    }
  }
  if (symmetric) mirrorLower(into, n);
}

/** Two rows by four: eight sums in registers, six loads for eight products. */
function addBlock(
  into: Float64Array,
  a: RowMatrix,
  b: RowMatrix,
  i: number,
  j: number,
  from: number,
  to: number,
): void {
  const { data: x, columns: k, rows: m } = a;
  const { data: y, rows: n } = b;
  // Beyond the last row the last one is read again, and what comes of it dropped.
  const [x0, x1] = [i * k, Math.min(i + 1, m - 1) * k];
  const [y0, y1] = [j * k, Math.min(j + 1, n - 1) * k];
  const [y2, y3] = [Math.min(j + 2, n - 1) * k, Math.min(j + 3, n - 1) * k];
  let [s00, s01, s02, s03] = [0, 0, 0, 0];
  let [s10, s11, s12, s13] = [0, 0, 0, 0];
  for (let p = from; p < to; p++) {
    const u = x[x0 + p]!;
    const v = x[x1 + p]!;
    const c = y[y0 + p]!;
    const d = y[y1 + p]!;
    const e = y[y2 + p]!;
    const f = y[y3 + p]!;
    s00 += u * c;
    s01 += u * d;
    s02 += u * e;
    s03 += u * f;
    s10 += v * c;
    s11 += v * d;
    s12 += v * e;
    s13 += v * f;
  }
  const columns = Math.min(4, n - j);
  const sums = [s00, s01, s02, s03, s10, s11, s12, s13];
  for (let row = 0; row < Math.min(2, m - i); row++) {
    for (let column = 0; column < columns; column++) into[(i + row) * n + j + column]! += sums[4 * row + column]!;
  }
}

/** Copies what stands below the diagonal above it. */
function mirrorLower(matrix: Float64Array, n: number): void {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) matrix[j * n + i] = matrix[i * n + j]!;
  }
}
