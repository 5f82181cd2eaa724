import { setFlagsFromString } from 'node:v8';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InstructionSet } from '../../src/emitted-kernel.ts';
import { type ConvOptions, convolution, type MatmulOptions, matmul, values } from './kernels.ts';
import { type HostValues, prepare, reference } from './run-kernel.ts';

// Relaxed instructions are behind a flag on Node 20, and on by default later.
if (process.version.startsWith('v20.')) setFlagsFromString('--experimental-wasm-relaxed-simd');
const variants: readonly { readonly instructions: InstructionSet; readonly threads: number }[] = [
  { instructions: 'plain', threads: 1 },
  { instructions: 'relaxed', threads: 3 },
  { instructions: 'wide', threads: 2 },
];

/** Half a unit in the last place of 1. */
const UNIT_ROUNDOFF = 2 ** -24;

/** The nearest quarter, without the sign of zero: the reference is a hair off, for it has an algorithm of its own. */
const toQuarters = (x: number): number => (Math.abs(4 * x - Math.round(4 * x)) < 1e-6 ? Math.round(4 * x) / 4 + 0 : x);

interface Check {
  /** Products in one sum. */
  readonly terms: number;
  readonly given?: number[] | undefined;
  /** Whether a sum may go through its neighbours' terms, as Winograd's do: it rounds as the largest of them. */
  readonly mixesSums?: boolean;
}

/**
 * Whole numbers must come out exactly (a prologue may make quarters of them): their sums fit float32, so whatever deviates is
 * a wrong term. Other
 * numbers may deviate by the bound of a float32 sum, (terms + 2) u times the sum of the products' sizes.
 */
async function expectSame(
  kernel: Parameters<typeof prepare>[0],
  operands: HostValues,
  { terms, given, mixesSums = false }: Check,
): Promise<void> {
  const whole = operands.map((values) => (values as Float32Array).map((x) => Math.round(3 * x)));
  const sizes = operands.map((values) => (values as Float32Array).map(Math.abs));
  const [[exact], [wanted], [total]] = (await Promise.all([
    reference(kernel, whole, given),
    reference(kernel, operands, given),
    reference(kernel, sizes, given),
  ])) as [[Float32Array], [Float32Array], [Float32Array]];
  const largest = total.reduce((most, x) => Math.max(most, x), 0);
  const roundings = terms + (mixesSums ? 64 : 2);
  for (const { instructions, threads } of variants) {
    const outputsOf = (values: HostValues): Float32Array => {
      const prepared = prepare(kernel, values, { instructions, threads, ...(given && { given }) });
      prepared.run();
      return prepared.outputs()[0] as Float32Array;
    };
    expect(outputsOf(whole).map(toQuarters), instructions).toEqual(exact.map(toQuarters));
    const got = outputsOf(operands);
    // The reference rounds too, once.
    const worst = wanted.reduce((most, value, i) => {
      const bound = UNIT_ROUNDOFF * ((mixesSums ? largest : (total[i] as number)) * roundings + Math.abs(value));
      const share = Math.abs(value - (got[i] as number)) / bound;
      return value === got[i] ? most : share <= most ? most : share;
    }, 0);
    expect(worst, `${instructions}: largest deviation, of its bound`).toBeLessThanOrEqual(1);
  }
}

const size = fc.oneof(
  fc.integer({ min: 1, max: 9 }),
  fc.integer({ min: 10, max: 70 }),
  fc.constantFrom(96, 100, 256, 300),
);

describe('products of matrices', () => {
  it('equal those of loops', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          batch: fc.constantFrom([], [], [3], [2, 5]),
          m: size,
          n: size,
          k: fc.oneof(size, fc.constantFrom(513, 600)),
          transposeA: fc.boolean(),
          transposeB: fc.boolean(),
          transposeC: fc.boolean(),
          withExtras: fc.boolean(),
        }),
        async (options: MatmulOptions) => {
          const kernel = matmul(options);
          const { batch = [], m, n, k, withExtras } = options;
          const count = batch.reduce((all, one) => all * one, 1);
          fc.pre(count * m * n * k < 3e6);
          const operands = [values(count * m * k), values(count * n * k, 2)];
          if (withExtras) operands.push(values(n, 3));
          operands.push(new Float32Array(count * m * n));
          await expectSame(kernel, operands, { terms: k, given: withExtras ? [0.75] : [] });
        },
      ),
      { numRuns: 40 },
    );
  });

  it('are sums of nothing where k is empty', async () => {
    const kernel = matmul({ m: 5, n: 9, k: 0 });
    await expectSame(kernel, [values(0), values(0), new Float32Array(45).fill(7)], { terms: 0 });
  });

  it('take many small batches', async () => {
    const kernel = matmul({ batch: [4, 70], m: 6, n: 5, k: 7 });
    await expectSame(kernel, [values(280 * 42), values(280 * 35), new Float32Array(280 * 30)], { terms: 7 });
  });

  it('of float64 keep their precision', async () => {
    const kernel = matmul({ m: 7, n: 5, k: 30, dtype: 'float64' });
    const operands = [Float64Array.from(values(210)), Float64Array.from(values(150)), new Float64Array(35)];
    const prepared = prepare(kernel, operands);
    prepared.run();
    const [wanted] = await reference(kernel, operands);
    (prepared.outputs()[0] as Float64Array).forEach((value, i) => {
      expect(value).toBeCloseTo((wanted as Float64Array)[i] as number, 13);
    });
  });
});

const conv: fc.Arbitrary<ConvOptions> = fc.record({
  images: fc.integer({ min: 1, max: 3 }),
  channels: fc.constantFrom(1, 3, 4, 8, 12, 20),
  outputs: fc.constantFrom(1, 3, 4, 8, 17, 24),
  height: fc.constantFrom(4, 5, 8, 11),
  width: fc.constantFrom(3, 4, 8, 10),
  kernel: fc.constantFrom(1, 3, 3, 5),
  layout: fc.constantFrom('NCHW', 'NHWC'),
  role: fc.constantFrom('forward', 'weightGradient'),
});

const even: fc.Arbitrary<ConvOptions> = fc.record({
  images: fc.integer({ min: 1, max: 3 }),
  channels: fc.constantFrom(8, 12, 32),
  outputs: fc.constantFrom(8, 12, 20),
  height: fc.constantFrom(2, 4, 8, 14),
  width: fc.constantFrom(2, 4, 6, 16),
  layout: fc.constantFrom('NCHW', 'NHWC'),
  role: fc.constantFrom('forward', 'weightGradient'),
});

describe('convolutions', () => {
  it.each([
    ['of any size', conv],
    ['of 3 x 3 taps and even sizes', even],
  ])('%s equal those of loops', async (_, arbitrary) => {
    await fc.assert(
      fc.asyncProperty(arbitrary, async (options) => {
        const { images, channels, outputs, height, width, kernel = 3, role } = options;
        const [pixels, weights] = [images * height * width, channels * outputs * kernel * kernel];
        const operands =
          role === 'forward'
            ? [values(pixels * channels), values(weights, 2), new Float32Array(pixels * outputs)]
            : [values(pixels * channels), values(pixels * outputs, 2), new Float32Array(weights)];
        const terms = role === 'forward' ? channels * kernel * kernel : pixels;
        await expectSame(convolution(options), operands, { terms, mixesSums: true });
      }),
      { numRuns: 30 },
    );
  });
});
