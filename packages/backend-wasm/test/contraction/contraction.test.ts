import { setFlagsFromString } from 'node:v8';
import type { Contraction } from '@evenkeel/tensor/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tiles } from '../../src/contraction/tile.ts';
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

function operandsOf({ batch = [], m, n, k, withExtras }: MatmulOptions): Float32Array[] {
  const count = batch.reduce((all, one) => all * one, 1);
  const extras = withExtras ? [values(n, 3)] : [];
  return [values(count * m * k), values(count * n * k, 2), ...extras, new Float32Array(count * m * n)];
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
          await expectSame(kernel, operandsOf(options), { terms: k, given: withExtras ? [0.75] : [] });
        },
      ),
      { numRuns: 40 },
    );
  });

  it.each([
    ['read where they lie', { m: 23, n: 64, k: 40 }],
    ['with rows along the first operand', { m: 36, n: 48, k: 70, transposeA: true }],
    ['with results turned round', { m: 44, n: 28, k: 33, transposeC: true }],
    ['of long rows', { m: 40, n: 272, k: 600 }],
    ['with more rows than a block', { m: 210, n: 40, k: 20 }],
    ['with sums in parts', { m: 20, n: 24, k: 1100 }],
    ['with sums in parts, of several batches', { batch: [3], m: 9, n: 17, k: 1700, withExtras: true }],
    [
      'with sums in parts, turned round',
      { m: 18, n: 21, k: 2100, transposeA: true, transposeB: true, transposeC: true },
    ],
  ] as [string, MatmulOptions][])('%s equal those of loops', async (_, options) => {
    await expectSame(matmul(options), operandsOf(options), {
      terms: options.k,
      given: options.withExtras ? [0.75] : [],
    });
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

const threeByThree: fc.Arbitrary<ConvOptions> = fc.record({
  images: fc.integer({ min: 1, max: 3 }),
  channels: fc.constantFrom(8, 12, 32),
  outputs: fc.constantFrom(8, 12, 20),
  height: fc.constantFrom(2, 4, 5, 8, 14),
  width: fc.constantFrom(2, 4, 6, 7, 16),
  layout: fc.constantFrom('NCHW', 'NHWC'),
  role: fc.constantFrom('forward', 'weightGradient'),
});

const ofFewChannels: fc.Arbitrary<ConvOptions> = fc.record({
  images: fc.integer({ min: 1, max: 3 }),
  channels: fc.constantFrom(1, 3, 4, 7, 9, 36),
  outputs: fc.constantFrom(1, 3, 4, 7, 9, 36),
  height: fc.integer({ min: 1, max: 9 }),
  // Whole vectors, whole tiles, or neither.
  width: fc.constantFrom(1, 8, 12, 16, 32, 48),
  kernel: fc.constantFrom(1, 3, 3, 5),
  stride: fc.constantFrom(1, 1, 2),
  dilation: fc.constantFrom(1, 1, 2),
  layout: fc.constantFrom('NCHW', 'NHWC'),
  role: fc.constantFrom('forward', 'weightGradient'),
  withExtras: fc.boolean(),
});

function convOperands(options: ConvOptions): Float32Array[] {
  const { images, channels, outputs, height, width, kernel = 3, stride = 1, role } = options;
  const [pixels, weights] = [images * height * width, channels * outputs * kernel * kernel];
  const inputs = values(pixels * stride ** 2 * channels);
  return role === 'forward'
    ? [inputs, values(weights, 2), new Float32Array(pixels * outputs)]
    : [inputs, values(pixels * outputs, 2), new Float32Array(weights)];
}

async function expectConvolution(options: ConvOptions): Promise<void> {
  const { images, channels, height, width, kernel = 3, role } = options;
  const terms = role === 'forward' ? channels * kernel * kernel : images * height * width;
  await expectSame(convolution(options), convOperands(options), { terms, mixesSums: true });
}

describe('convolutions', () => {
  it.each([
    ['of any size', conv],
    ['of 3 x 3 taps', threeByThree],
    ['of few channels or outputs', ofFewChannels],
  ])('%s equal those of loops', async (_, arbitrary) => {
    await fc.assert(fc.asyncProperty(arbitrary, expectConvolution), { numRuns: 30 });
  });

  it.each([
    ['whose tiles make several units', { images: 5, channels: 64, outputs: 64, height: 12, width: 18 }],
    ['of odd sizes', { images: 2, channels: 8, outputs: 12, height: 7, width: 9 }],
    ['with more outputs than a panel', { images: 1, channels: 12, outputs: 44, height: 6, width: 8 }],
    ['of few channels, with lines of several blocks', { images: 1, channels: 3, outputs: 9, height: 1, width: 496 }],
    [
      'of few outputs, with more taps than are written out',
      { images: 1, channels: 40, outputs: 3, height: 3, width: 32 },
    ],
    ['of few channels, in many lines', { images: 3, channels: 3, outputs: 16, height: 64, width: 16 }],
  ])('%s equal those of loops in both layouts', async (_, shape) => {
    for (const layout of ['NCHW', 'NHWC'] as const) await expectConvolution({ ...shape, layout, role: 'forward' });
  });

  it.each([
    ['point by point', { images: 2, channels: 104, outputs: 20, height: 8, width: 8 }],
    ['in parts', { images: 3, channels: 12, outputs: 20, height: 16, width: 16 }],
    ['in parts, of odd sizes', { images: 5, channels: 8, outputs: 8, height: 15, width: 13 }],
  ])('gradients of weights, %s, equal those of loops', async (_, shape) => {
    for (const layout of ['NCHW', 'NHWC'] as const)
      await expectConvolution({ ...shape, layout, role: 'weightGradient' });
  });
});

describe('bits', () => {
  const image = { images: 3, channels: 20, outputs: 24, height: 16, width: 16, layout: 'NHWC' } as const;
  const product = { m: 50, n: 40, k: 1500 };
  const cases: [string, Contraction, Float32Array[]][] = [
    ['a product', matmul(product), operandsOf(product)],
    ...(['forward', 'weightGradient'] as const).map((role): [string, Contraction, Float32Array[]] => {
      return [`a convolution, ${role}`, convolution({ ...image, role }), convOperands({ ...image, role })];
    }),
    ...(['NCHW', 'NHWC'] as const).map((layout): [string, Contraction, Float32Array[]] => {
      const first = { ...image, channels: 3, layout, role: 'forward' } as const;
      return [`a convolution of three channels, ${layout}`, convolution(first), convOperands(first)];
    }),
  ];
  const run = (kernel: Contraction, operands: Float32Array[], options: Parameters<typeof prepare>[2]) => {
    const prepared = prepare(kernel, operands, options);
    prepared.run();
    return prepared.outputs();
  };

  it.each(cases)(
    'of %s are the same with all tiles, thread counts, and vectors joined or not',
    (_, kernel, operands) => {
      for (const [plain, ...others] of [['plain'], ['relaxed', 'wide']] as InstructionSet[][]) {
        const wanted = run(kernel, operands, { instructions: plain as InstructionSet });
        for (const instructions of [plain, ...others] as InstructionSet[]) {
          for (const threads of [1, 2, 5]) expect(run(kernel, operands, { instructions, threads })).toEqual(wanted);
          for (const tile of tiles[instructions]) expect(run(kernel, operands, { instructions, tile })).toEqual(wanted);
        }
      }
    },
  );
});
