import { hostArrayFrom, setDevelopmentMode, type Tensor, tensor, withBackend } from '@evenkeel/tensor';
import { evaluate } from '@evenkeel/tensor/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WebgpuBackend } from '../src/index.ts';
import { noDevice, openBackend } from './device.ts';

const COUNT = 20_000;
const SMALLEST = 2 ** -126;

/** Numbers of both signs whose sizes are spread evenly over powers of two. */
function spread(low: number, high: number): Float32Array {
  const steps = Math.log2(high / low) / COUNT;
  return Float32Array.from({ length: COUNT }, (_, i) => (i % 2 ? -1 : 1) * low * 2 ** (i * steps));
}

/** Units in the last place between values; what is too small for a normal number may be 0. */
function worstUlps(got: ArrayLike<number>, wanted: ArrayLike<number>): number {
  let worst = 0;
  for (let i = 0; i < wanted.length; i++) {
    const [have, want] = [got[i] as number, wanted[i] as number];
    if (Object.is(have, Math.fround(want))) continue;
    const size = Math.abs(want);
    if (size < SMALLEST * 1.001 && Math.abs(have) < SMALLEST * 1.001) continue;
    const unit = 2 ** (Math.floor(Math.log2(Math.min(size, 2 ** 127))) - 23);
    const ulps = Math.abs(have - want) / unit;
    worst = Math.max(worst, Number.isNaN(ulps) ? Number.POSITIVE_INFINITY : ulps);
  }
  return worst;
}

describe.skipIf(noDevice)('functions, by units in the last place', () => {
  let backend: WebgpuBackend;
  beforeAll(async () => {
    setDevelopmentMode(false); // every function is a plan of its own
    backend = await openBackend();
  });
  afterAll(async () => {
    setDevelopmentMode(true);
    await backend?.dispose();
  });

  async function check(bound: number, values: Float32Array, apply: (x: Tensor) => Tensor): Promise<void> {
    await withBackend(backend, async () => {
      const result = apply(tensor(values));
      const [wanted] = evaluate([result.node]);
      const worst = worstUlps(await result.data(), wanted as Float64Array);
      expect(worst).toBeLessThanOrEqual(bound);
    });
  }

  const everything = spread(SMALLEST, 2 ** 127.9);
  const moderate = spread(2 ** -20, 100);
  test.each<[string, number, Float32Array, (x: Tensor) => Tensor]>([
    ['exp', 1.5, moderate, (x) => x.exp()],
    ['log', 1.5, everything.map(Math.abs), (x) => x.log()],
    ['log near 1', 1.5, Float32Array.from({ length: COUNT }, (_, i) => 0.7 + i * 4e-5), (x) => x.log()],
    ['sqrt', 1, everything.map(Math.abs), (x) => x.sqrt()],
    ['sin', 2, everything, (x) => x.sin()],
    ['cos', 2, everything, (x) => x.cos()],
    ['tanh', 2.5, everything, (x) => x.tanh()],
    ['erf', 4, everything, (x) => x.erf()],
    ['sigmoid', 3, moderate, (x) => x.sigmoid()],
    ['x^0.3', 2, everything.map(Math.abs), (x) => x.pow(0.3)],
    ['x^-2.5', 2, spread(2 ** -40, 2 ** 40).map(Math.abs), (x) => x.pow(-2.5)],
    ['x^3 down to 1e-36', 2, spread(2 ** -39, 2 ** -30).map(Math.abs), (x) => x.pow(tensor([3]))],
    ['1.0001^x', 2, spread(1, 400_000), (x) => tensor([Math.fround(1.0001)]).pow(x)],
    ['1 / x', 1.5, spread(2 ** -125.9, 2 ** 125.9), (x) => tensor([1]).div(x)],
    ['x mod 0.7', 0, spread(2 ** -30, 2 ** 100), (x) => x.mod(Math.fround(0.7))],
    ['x mod 3e-30', 0, everything, (x) => x.mod(tensor([Math.fround(3e-30)]))],
  ])('%s: %d', (_, bound, values, apply) => check(bound, values, apply));

  test('float16 is stored exactly, ties to even, also in odd places', async () => {
    const values = Float32Array.from([
      ...spread(2 ** -27, 2 ** 17).slice(0, 4001),
      ...[
        0,
        -0,
        Number.NaN,
        Number.POSITIVE_INFINITY,
        65504,
        65519,
        65520,
        2049,
        2051,
        2 ** -24,
        2 ** -25,
        3 * 2 ** -25,
      ],
    ]);
    await withBackend(backend, async () => {
      const half = tensor(values).cast('float16');
      const expected = hostArrayFrom('float16', values);
      expect(await half.data()).toEqual(expected);
      const stored = await half.realize();
      expect(await stored.cast('float32').data()).toEqual(expected);
      expect(await stored.slice([1, 4000]).data()).toEqual(expected.slice(1, 4000));
      stored.dispose();
    });
  });
});
