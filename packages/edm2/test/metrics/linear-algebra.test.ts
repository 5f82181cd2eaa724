import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addRowProducts, type RowMatrix } from '../../src/metrics/linear-algebra/row-products.ts';
import { semidefiniteFactor } from '../../src/metrics/linear-algebra/semidefinite-factor.ts';
import { symmetricEigenvalues } from '../../src/metrics/linear-algebra/symmetric-eigenvalues.ts';

const entry = fc.double({ min: -1, max: 1, noNaN: true });

const matrix = ({ rows = { min: 1, max: 12 }, columns = { min: 1, max: 12 } } = {}): fc.Arbitrary<RowMatrix> =>
  fc.tuple(fc.integer(rows), fc.integer(columns)).chain(([m, n]) =>
    fc.array(entry, { minLength: m * n, maxLength: m * n }).map((data) => ({
      rows: m,
      columns: n,
      data: Float64Array.from(data),
    })),
  );

function productsOf(a: RowMatrix, b: RowMatrix): Float64Array {
  return Float64Array.from({ length: a.rows * b.rows }, (_, at) => {
    const [i, j] = [Math.floor(at / b.rows), at % b.rows];
    let sum = 0;
    for (let k = 0; k < a.columns; k++) sum += a.data[i * a.columns + k]! * b.data[j * b.columns + k]!;
    return sum;
  });
}

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, bound: number): void {
  expect(actual).toHaveLength(expected.length);
  for (let i = 0; i < expected.length; i++) expect(Math.abs(actual[i]! - expected[i]!)).toBeLessThanOrEqual(bound);
}

const transposed = ({ rows, columns, data }: RowMatrix): RowMatrix => ({
  rows: columns,
  columns: rows,
  data: Float64Array.from({ length: data.length }, (_, at) => data[(at % rows) * columns + Math.floor(at / rows)]!),
});

describe('inner products of rows', () => {
  test('are those of plain loops, added to what was there', () => {
    fc.assert(
      fc.property(matrix(), matrix(), (a, other) => {
        const b = { ...other, columns: a.columns, rows: Math.floor(other.data.length / a.columns) };
        fc.pre(b.rows > 0);
        const into = new Float64Array(a.rows * b.rows).fill(1);
        addRowProducts(into, a, b);
        expectClose(
          into.map((value) => value - 1),
          productsOf(a, b),
          1e-13,
        );
      }),
    );
  });

  test('of a matrix with itself need half the work', () => {
    fc.assert(
      fc.property(matrix({ columns: { min: 1, max: 700 } }), (a) => {
        const [half, all] = [new Float64Array(a.rows ** 2), new Float64Array(a.rows ** 2)];
        addRowProducts(half, a, a, true);
        addRowProducts(all, a, a);
        expect(half).toEqual(all);
      }),
      { numRuns: 20 },
    );
  });
});

describe('the factor of a semidefinite matrix', () => {
  test('multiplied by itself gives the matrix, with no more rows than its rank', () => {
    fc.assert(
      fc.property(matrix({ columns: { min: 1, max: 6 } }), (a) => {
        const square = productsOf(a, a);
        const factor = semidefiniteFactor(square, a.rows);
        expect(factor.rows).toBeLessThanOrEqual(Math.min(a.rows, a.columns));
        // What is left out is below 12 * 2^-52 * 6 on the diagonal.
        expectClose(productsOf(transposed(factor), transposed(factor)), square, 1e-13);
      }),
    );
  });
});

describe('eigenvalues', () => {
  test('of a diagonal matrix are its diagonal', () => {
    const diagonal = [3, -1, 0, 7, 7];
    const square = Float64Array.from({ length: 25 }, (_, at) => (at % 6 === 0 ? diagonal[at / 6]! : 0));
    expect([...symmetricEigenvalues(square, 5)]).toEqual(diagonal);
    expect(symmetricEigenvalues(new Float64Array(0), 0)).toHaveLength(0);
  });

  test('of the second difference are 2 - 2 cos(k pi / (n + 1))', () => {
    const n = 50;
    const square = Float64Array.from({ length: n * n }, (_, at) => {
      const apart = Math.abs(Math.floor(at / n) - (at % n));
      return apart === 0 ? 2 : apart === 1 ? -1 : 0;
    });
    const expected = Array.from({ length: n }, (_, k) => 2 - 2 * Math.cos(((k + 1) * Math.PI) / (n + 1)));
    expectClose(symmetricEigenvalues(square, n).sort(), expected, 1e-13);
  });

  test('of numbers near the ends of what doubles hold', () => {
    for (const size of [1e300, 1e-300, 5e-324]) {
      const square = Float64Array.of(0, size, size, 0);
      const [low, high] = symmetricEigenvalues(square, 2).sort();
      expect([low! / size, high! / size].map((share) => Math.round(share * 1e14) / 1e14)).toEqual([-1, 1]);
    }
  });

  test('survive a rotation', () => {
    fc.assert(
      fc.property(matrix({ rows: { min: 2, max: 24 } }), fc.array(entry, { minLength: 24, maxLength: 24 }), (a, v) => {
        const n = a.rows;
        const diagonal = Float64Array.from({ length: n }, (_, i) => a.data[i % a.data.length]!);
        // H D H with the reflection H = I - 2 v v' / v'v: eigenvalues are those of D.
        const direction = v.slice(0, n).map((value, i) => value + (i === 0 ? 2 : 0));
        const square = direction.reduce((sum, value) => sum + value * value, 0);
        const h = Float64Array.from({ length: n * n }, (_, at) => {
          const [i, j] = [Math.floor(at / n), at % n];
          return (i === j ? 1 : 0) - (2 * direction[i]! * direction[j]!) / square;
        });
        const scaled = { rows: n, columns: n, data: h.map((value, at) => value * diagonal[at % n]!) };
        const rotated = productsOf(scaled, { rows: n, columns: n, data: h });
        expectClose(symmetricEigenvalues(rotated, n).sort(), diagonal.sort(), 1e-13);
      }),
    );
  });
});
