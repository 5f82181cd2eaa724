import { expect, test } from 'vitest';
import { grad } from '../src/index.ts';
import { of, sample, values } from './values.ts';

test('indices that are computed themselves are written before they are used', async () => {
  const x = sample([2, 3]);
  const square = of('int32', [1, 0, 1, 1], [2, 2]);
  const loss = x.gather(square.add(1).mod(2), 0).sum();
  expect(await grad(loss, x).array()).toEqual([[3, 3, 3], [1, 1, 1]]); // biome-ignore format: one line
  const taken = x.takeAlongAxis(square, 1);
  expect(await taken.mul(2).data()).toEqual(Float64Array.from(values(taken), (value) => value * 2));
  expect(await taken.array()).toEqual(await x.takeAlongAxis(square.add(0), 1).array());
});
