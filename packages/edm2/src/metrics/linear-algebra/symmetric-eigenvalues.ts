/**
 * The eigenvalues of a symmetric matrix `[n, n]`, in no order: Householder's reduction to a tridiagonal matrix, then QL
 * steps with implicit shifts, which need no vectors. `matrix` is left as it was.
 */
export function symmetricEigenvalues(matrix: Float64Array, n: number): Float64Array {
  // At a magnitude of 1 no square overflows, and what is far below the rounding of the whole is known by its size.
  const scale = matrix.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (scale === 0) return new Float64Array(n);
  const { diagonal, beside } = tridiagonal(
    matrix.map((value) => value / scale),
    n,
  );
  diagonalize(diagonal, beside);
  return diagonal.map((value) => value * scale);
}

interface Tridiagonal {
  readonly diagonal: Float64Array;
  /** `beside[i]` stands between `diagonal[i]` and `diagonal[i + 1]`; the last one is 0. */
  readonly beside: Float64Array;
}

/**
 * Reflects row after row, from the last to the second, onto its last element. What a reflection I - 2 u u' does to the rows
 * left, A - u q' - q u', is done in the pass that multiplies them by the next u: each element is loaded once a row.
 */
function tridiagonal(a: Float64Array, n: number): Tridiagonal {
  const [diagonal, beside] = [new Float64Array(n), new Float64Array(n)];
  let [u, q, next, product] = [new Float64Array(n), new Float64Array(n), new Float64Array(n), new Float64Array(n)];
  let pending = false;
  for (let row = n - 1; row > 0; row--) {
    if (pending) subtractFromRow(a, row, n, u, q);
    diagonal[row] = a[row * n + row]!;
    const norm = reflector(a, row, n, next);
    beside[row - 1] = norm;
    if (norm === 0 && !pending) continue;
    product.fill(0, 0, row);
    if (pending) multiplyReflected(a, row, n, { u, q, next, product });
    else multiply(a, row, n, next, product);
    let along = 0;
    for (let i = 0; i < row; i++) along += next[i]! * product[i]!;
    for (let i = 0; i < row; i++) product[i] = 2 * (product[i]! - along * next[i]!);
    [u, q, next, product] = [next, product, u, q];
    pending = norm !== 0;
  }
  if (pending) subtractFromRow(a, 0, n, u, q);
  if (n > 0) diagonal[0] = a[0]!;
  return { diagonal, beside };
}

function subtractFromRow(a: Float64Array, row: number, n: number, u: Float64Array, q: Float64Array): void {
  for (let j = 0; j <= row; j++) a[row * n + j]! -= u[row]! * q[j]! + q[row]! * u[j]!;
}

/** Writes the unit vector u whose reflection leaves `row` nothing but its last element; gives that element. */
function reflector(a: Float64Array, row: number, n: number, u: Float64Array): number {
  let scale = 0;
  for (let j = 0; j < row; j++) scale = Math.max(scale, Math.abs(a[row * n + j]!));
  if (scale === 0) {
    u.fill(0, 0, row);
    return 0;
  }
  let square = 0;
  for (let j = 0; j < row; j++) {
    u[j] = a[row * n + j]! / scale;
    square += u[j]! ** 2;
  }
  const last = u[row - 1]!;
  // Of the other sign, so that nothing cancels.
  const left = last > 0 ? -Math.sqrt(square) : Math.sqrt(square);
  u[row - 1] = last - left;
  const norm = Math.sqrt(2 * (square - last * left));
  for (let j = 0; j < row; j++) u[j]! /= norm;
  return left * scale;
}

/** `product = A x`, of the first `size` rows. */
function multiply(a: Float64Array, size: number, n: number, x: Float64Array, product: Float64Array): void {
  for (let i = 0; i < size; i++) {
    const at = i * n;
    const xi = x[i]!;
    let sum = a[at + i]! * xi;
    for (let j = 0; j < i; j++) {
      const value = a[at + j]!;
      sum += value * x[j]!;
      product[j]! += value * xi;
    }
    product[i]! += sum;
  }
}

interface Reflection {
  readonly u: Float64Array;
  readonly q: Float64Array;
  readonly next: Float64Array;
  readonly product: Float64Array;
}

/** `A = A - u q' - q u'; product = A next`, of the first `size` rows. */
function multiplyReflected(a: Float64Array, size: number, n: number, { u, q, next, product }: Reflection): void {
  for (let i = 0; i < size; i++) {
    const at = i * n;
    const ui = u[i]!;
    const qi = q[i]!;
    const xi = next[i]!;
    let sum = 0;
    for (let j = 0; j < i; j++) {
      const value = a[at + j]! - (ui * q[j]! + qi * u[j]!);
      a[at + j] = value;
      sum += value * next[j]!;
      product[j]! += value * xi;
    }
    const own = a[at + i]! - 2 * ui * qi;
    a[at + i] = own;
    product[i]! += sum + own * xi;
  }
}

/** Turns the diagonal into the eigenvalues. */
function diagonalize(diagonal: Float64Array, beside: Float64Array): void {
  const n = diagonal.length;
  for (let first = 0; first < n; first++) {
    for (;;) {
      const last = blockEnd(diagonal, beside, first);
      if (last === first) break;
      sweep(diagonal, beside, first, last);
    }
  }
}

/** Last row of the block from `first` on that no negligible element divides. */
function blockEnd(diagonal: Float64Array, beside: Float64Array, first: number): number {
  let last = first;
  for (; last < diagonal.length - 1; last++) {
    const size = Math.abs(diagonal[last]!) + Math.abs(diagonal[last + 1]!);
    if (Math.abs(beside[last]!) <= Number.EPSILON * (size + Number.EPSILON)) break;
  }
  return last;
}

/** One QL step of the block: rotations from its last row to its first, shifted by Wilkinson's shift. */
function sweep(diagonal: Float64Array, beside: Float64Array, first: number, last: number): void {
  const half = (diagonal[first + 1]! - diagonal[first]!) / (2 * beside[first]!);
  const root = Math.hypot(half, 1);
  let carried = diagonal[last]! - diagonal[first]! + beside[first]! / (half + (half < 0 ? -root : root));
  let [sine, cosine, moved] = [1, 1, 0];
  for (let i = last - 1; i >= first; i--) {
    const f = sine * beside[i]!;
    const b = cosine * beside[i]!;
    const length = Math.hypot(f, carried);
    beside[i + 1] = length;
    if (length === 0) {
      // The block falls apart here.
      diagonal[i + 1]! -= moved;
      beside[last] = 0;
      return;
    }
    sine = f / length;
    cosine = carried / length;
    const shifted = diagonal[i + 1]! - moved;
    const spread = (diagonal[i]! - shifted) * sine + 2 * cosine * b;
    moved = sine * spread;
    diagonal[i + 1] = shifted + moved;
    carried = cosine * spread - b;
  }
  diagonal[first]! -= moved;
  beside[first] = carried;
  beside[last] = 0;
}
