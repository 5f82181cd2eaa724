import { describe, expect, test } from 'vitest';
import { einsum, type Tensor, zeros } from '../src/index.ts';
import { of, sample, values } from './values.ts';

function expectClose(actual: Tensor, expected: readonly number[]): void {
  const got = values(actual);
  expect(got.length).toBe(expected.length);
  got.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i] as number, 11);
  });
}

/** Rows by columns of two matrices in flat lists. */
function product(a: readonly number[], b: readonly number[], m: number, k: number, n: number): number[] {
  return Array.from({ length: m * n }, (_, at) => {
    let sum = 0;
    for (let i = 0; i < k; i++) sum += (a[Math.floor(at / n) * k + i] as number) * (b[i * n + (at % n)] as number);
    return sum;
  });
}

describe('matmul', () => {
  const [a, b] = [sample([2, 3], 1), sample([3, 4], 2)];
  const expected = product(values(a), values(b), 2, 3, 4);

  test('of matrices', () => {
    expect(a.matmul(b).shape).toEqual([2, 4]);
    expectClose(a.matmul(b), expected);
  });

  test('of vectors, as NumPy', () => {
    const [row, column] = [a.at(0), b.at(0, 1)];
    expect(row.matmul(b).shape).toEqual([4]);
    expectClose(row.matmul(b), expected.slice(0, 4));
    expect(a.matmul(column).shape).toEqual([2]);
    expectClose(a.matmul(column), [expected[0] as number, expected[4] as number]);
    expect(row.matmul(column).shape).toEqual([]);
    expectClose(row.matmul(column), [expected[0] as number]);
  });

  test.each([
    [
      [5, 2, 3],
      [3, 4],
      [5, 2, 4],
    ],
    [
      [2, 3],
      [5, 3, 4],
      [5, 2, 4],
    ],
    [
      [5, 1, 2, 3],
      [6, 3, 4],
      [5, 6, 2, 4],
    ],
    [[3], [5, 3, 4], [5, 4]],
    [[5, 2, 3], [3], [5, 2]],
    [
      [1, 2, 3],
      [7, 3, 4],
      [7, 2, 4],
    ],
  ])('batches: %j x %j is %j', (left, right, shape) => {
    const [x, y] = [sample(left, 3), sample(right, 4)];
    const result = x.matmul(y);
    expect(result.shape).toEqual(shape);
    // Elementwise: both operands with explicit axes for rows, inner and columns.
    const wideX = left.length === 1 ? x.reshape(1, 3) : x;
    const wideY = right.length === 1 ? y.reshape(3, 1) : y;
    expectClose(result, values(wideX.unsqueeze(-1).mul(wideY.unsqueeze(-3)).sum(-2)));
  });

  test('of nothing is zero', () => {
    expect(values(zeros([2, 0]).matmul(zeros([0, 2])))).toEqual([0, 0, 0, 0]);
    expect(zeros([0, 3]).matmul(zeros([3, 2])).shape).toEqual([0, 2]);
    expect(zeros([4, 0, 3]).matmul(zeros([3, 2])).shape).toEqual([4, 0, 2]);
  });

  test('errors say which way to turn', () => {
    expect(() => sample([256, 2]).matmul(sample([64, 2]))).toThrow(
      'matmul: inner sizes differ, [256, 2] x [64, 2]. Did you mean to transpose the second?',
    );
    expect(() => sample([2, 5]).matmul(sample([2, 7]))).toThrow('Did you mean to transpose the first?');
    expect(() => sample([2, 5]).matmul(sample([3, 7]))).toThrow(/\[2, 5\] x \[3, 7\]$/);
    expect(() => sample([2, 2]).matmul(zeros([2, 2]))).toThrow(
      'matmul: dtypes differ, float64 [2, 2] and float32 [2, 2]',
    );
    expect(() => sample([]).matmul(sample([1]))).toThrow('a scalar has no inner axis. Use mul');
    expect(() => sample([2, 2, 2]).matmul(sample([3, 2, 2]))).toThrow('matmul: shapes [2] and [3] do not broadcast');
  });

  test('dot keeps the other axes of both', () => {
    const [x, y] = [sample([2, 3], 5), sample([4, 3, 2], 6)];
    expect(x.dot(y).shape).toEqual([2, 4, 2]);
    expectClose(x.dot(y), values(einsum('ik,akj->iaj', x, y)));
    expectClose(a.dot(b), expected);
    expect(a.at(0).dot(b.at(0, 1)).shape).toEqual([]);
  });
});

describe('einsum', () => {
  const [a, b] = [sample([2, 3], 1), sample([3, 4], 2)];
  test.each([
    ['ij,jk->ik', [a, b], a.matmul(b)],
    ['ij,jk', [a, b], a.matmul(b)],
    ['ij,jk->ki', [a, b], a.matmul(b).transpose()],
    ['ij->ji', [a], a.transpose()],
    ['ji', [a], a.transpose()],
    ['ij->', [a], a.sum()],
    ['ij->i', [a], a.sum(1)],
    ['i,j->ij', [a.at(0), b.at(0)], a.at(0).unsqueeze(1).mul(b.at(0))],
    ['ij,ij->ij', [a, a], a.mul(a)],
    ['ij,ij->', [a, a], a.mul(a).sum()],
    ['ij,k->i', [a, b.at(0)], a.sum(1).mul(b.at(0).sum())],
  ] as [string, Tensor[], Tensor][])('%s', (spec, operands, expected) => {
    const result = einsum(spec, ...operands);
    expect(result.shape).toEqual(expected.shape);
    expectClose(result, values(expected));
  });

  test('takes and sums diagonals', () => {
    const square = sample([3, 3]);
    expect(values(einsum('ii->i', square))).toEqual([0, 4, 8].map((at) => values(square)[at]));
    expectClose(einsum('ii', square), [[0, 4, 8].reduce((sum, at) => sum + (values(square)[at] as number), 0)]);
    const cube = sample([2, 2, 2]);
    expect(values(einsum('iii->i', cube))).toEqual([values(cube)[0], values(cube)[7]]);
  });

  test('multiplies three operands', () => {
    const c = sample([4, 2], 3);
    expectClose(einsum('ij,jk,kl->il', a, b, c), values(a.matmul(b).matmul(c)));
    expectClose(einsum('ij,jk,ki->', a, b, c), values(einsum('ii', a.matmul(b).matmul(c))));
  });

  test('keeps batch axes, in any order', () => {
    const [q, k] = [sample([2, 3, 4], 4), sample([2, 5, 4], 5)];
    const result = einsum('btd,bsd->tsb', q, k);
    expect(result.shape).toEqual([3, 5, 2]);
    expectClose(result, values(q.matmul(k.transpose()).permute(1, 2, 0)));
  });

  test('... stands for further axes, which broadcast', () => {
    const [x, y] = [sample([5, 1, 2, 3], 6), sample([6, 3, 4], 7)];
    expect(einsum('...ij,...jk->...ik', x, y).shape).toEqual([5, 6, 2, 4]);
    expectClose(einsum('...ij,...jk->...ik', x, y), values(x.matmul(y)));
    expectClose(einsum('...ij,...jk', x, y), values(x.matmul(y)));
    expectClose(einsum('...i->...', a), values(a.sum(1)));
    expect(einsum('...i->i...', x).shape).toEqual([3, 5, 1, 2]);
    expect(einsum('a...->a', sample([2])).shape).toEqual([2]);
  });

  test('works on whole numbers', () => {
    const m = of('int32', [1, 2, 3, 4], [2, 2]);
    expect(values(einsum('ij,jk->ik', m, m))).toEqual([7, 10, 15, 22]);
  });

  test('errors quote the spec', () => {
    expect(() => einsum('ij,jk->ik', a)).toThrow("einsum: 'ij,jk->ik' names 2 operands, got 1");
    expect(() => einsum('ijk->i', a)).toThrow("names 3 axes in 'ijk', the operand is [2, 3]");
    expect(() => einsum('ij,jk->ik', a, a)).toThrow("has sizes 3 and 2 for 'j', operands [2, 3], [2, 3]");
    expect(() => einsum('ij->k', a)).toThrow("has 'k' in its output and in no operand");
    expect(() => einsum('ij->ii', a)).toThrow('repeats a letter in its output');
    expect(() => einsum('i1->i', a)).toThrow("has a name that is not a letter in 'i1'");
  });
});
