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

async function expectSame(
  kernel: Parameters<typeof prepare>[0],
  operands: HostValues,
  k: number,
  given?: number[],
): Promise<void> {
  for (const { instructions, threads } of variants) {
    const prepared = prepare(kernel, operands, { instructions, threads, ...(given && { given }) });
    prepared.run();
    const [got] = prepared.outputs();
    const [wanted] = await reference(kernel, operands, given);
    let worst = 0;
    (wanted as Float32Array).forEach((value, i) => {
      const error = Math.abs(value - ((got as Float32Array)[i] as number));
      if (!(error <= worst)) worst = error;
    });
    expect(worst).toBeLessThan(6e-8 * (k + 2));
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
          await expectSame(kernel, operands, k, withExtras ? [0.75] : []);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('are sums of nothing where k is empty', async () => {
    const kernel = matmul({ m: 5, n: 9, k: 0 });
    await expectSame(kernel, [values(0), values(0), new Float32Array(45).fill(7)], 0);
  });

  it('take many small batches', async () => {
    const kernel = matmul({ batch: [4, 70], m: 6, n: 5, k: 7 });
    await expectSame(kernel, [values(280 * 42), values(280 * 35), new Float32Array(280 * 30)], 7);
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
        await expectSame(convolution(options), operands, role === 'forward' ? channels * kernel * kernel : pixels);
      }),
      { numRuns: 30 },
    );
  });
});
