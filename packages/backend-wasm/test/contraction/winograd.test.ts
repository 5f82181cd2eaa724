import { setFlagsFromString } from 'node:v8';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Arithmetic,
  type Filtering,
  filterings,
  inBothDirections,
} from '../../src/contraction/winograd-transforms.ts';
import type { Value } from '../../src/loop-values.ts';
import { type ConvOptions, convolution, values } from './kernels.ts';
import { prepare, reference } from './run-kernel.ts';

// Relaxed instructions are behind a flag on Node 20, and on by default later.
if (process.version.startsWith('v20.')) setFlagsFromString('--experimental-wasm-relaxed-simd');

/** Values that are float64 numbers: transforms as functions. */
const numbers = {
  number: (_: string, value: number) => value,
  op(name: string, x: number, y: number) {
    if (name === 'f32x4.splat') return x;
    if (name === 'f32x4.neg') return -x;
    return name === 'f32x4.add' ? x + y : name === 'f32x4.sub' ? x - y : x * y;
  },
} as unknown as Arithmetic;

function apply(transform: Filtering['input'], square: readonly number[]): number[] {
  return inBothDirections(numbers, transform, square as unknown as Value[]) as unknown as number[];
}

const squareOf = (side: number) =>
  fc.array(fc.integer({ min: -9, max: 9 }), { minLength: side * side, maxLength: side * side });

describe.each(Object.entries(filterings))('filtering of %s outputs', (_, filtering) => {
  const { size, span } = filtering;
  const times = (x: readonly number[], y: readonly number[]): number[] => x.map((one, i) => one * (y[i] as number));
  const at = (square: readonly number[], side: number, y: number, x: number): number => square[y * side + x] as number;
  /** Sums over `window` x `window` places, for `results` x `results` shifts. */
  const slide = (inputs: readonly number[], window: readonly number[], results: number): number[] => {
    const side = Math.sqrt(window.length);
    return Array.from({ length: results * results }, (_, i) => {
      const [y, x] = [Math.floor(i / results), i % results];
      return window.reduce((sum, tap, j) => {
        return sum + tap * at(inputs, span, y + Math.floor(j / side), x + (j % side));
      }, 0);
    });
  };

  it('gives the sums of taps and inputs', () => {
    fc.assert(
      fc.property(squareOf(span), squareOf(3), (inputs, taps) => {
        const got = apply(filtering.output, times(apply(filtering.tap, taps), apply(filtering.input, inputs)));
        got.forEach((value, i) => {
          expect(value).toBeCloseTo(slide(inputs, taps, size)[i] as number, 6);
        });
      }),
    );
  });

  it('turned round, gives the gradient of taps', () => {
    fc.assert(
      fc.property(squareOf(span), squareOf(size), (inputs, gradients) => {
        const products = times(apply(filtering.gradient, gradients), apply(filtering.input, inputs));
        apply(filtering.tapGradient, products).forEach((value, i) => {
          expect(value).toBeCloseTo(slide(inputs, gradients, 3)[i] as number, 6);
        });
      }),
    );
  });
});

/** Largest sums of sizes in a row of a transform. */
function norm(transform: Filtering['input'], inputs: number): number {
  const columns = Array.from({ length: inputs }, (_, i) => {
    const unit = Array.from({ length: inputs }, (_, j) => (i === j ? 1 : 0));
    return transform(numbers, unit as unknown as Value[]) as unknown as number[];
  });
  return Math.max(
    ...(columns[0] as number[]).map((_, row) => columns.reduce((sum, c) => sum + Math.abs(c[row] as number), 0)),
  );
}

describe('tolerant convolutions', () => {
  const options: fc.Arbitrary<ConvOptions> = fc.record({
    images: fc.integer({ min: 1, max: 3 }),
    channels: fc.constantFrom(8, 12),
    outputs: fc.constantFrom(8, 20),
    height: fc.constantFrom(4, 7, 8, 11),
    width: fc.constantFrom(4, 8, 10),
    layout: fc.constantFrom('NCHW', 'NHWC'),
    role: fc.constantFrom('forward', 'weightGradient'),
  });

  it('deviate from plain ones, by no more than rounding through the transforms can make of it', async () => {
    const { size, span, input, tap, output, gradient, tapGradient } = filterings.four;
    const amplification = {
      forward: norm(output, span) * norm(tap, 3) * norm(input, span),
      weightGradient: norm(tapGradient, span) * norm(gradient, size) * norm(input, span),
    };
    let deviated = false;
    await fc.assert(
      fc.asyncProperty(options, async (shape) => {
        const { images, channels, outputs, height, width, role } = shape;
        const [pixels, weights] = [images * height * width, 9 * channels * outputs];
        const [second, third] = role === 'forward' ? [weights, pixels * outputs] : [pixels * outputs, weights];
        const operands = [values(pixels * channels), values(second, 2), new Float32Array(third)];
        const kernel = convolution(shape);
        const [wanted] = (await reference(kernel, operands)) as [Float32Array];
        // Each transform adds at most five numbers in each of two directions; operands are at most 1.
        const tiles = images * Math.ceil(height / size) * Math.ceil(width / size);
        const summed = role === 'forward' ? channels : tiles;
        const bound = 2 ** -24 * (summed + 3 * 2 * 6) * summed * amplification[role] ** 2;
        for (const instructions of ['plain', 'relaxed', 'wide'] as const) {
          const run = (tolerant: boolean): Float32Array => {
            const prepared = prepare(kernel, operands, { instructions, tolerant, threads: 2 });
            prepared.run();
            return prepared.outputs()[0] as Float32Array;
          };
          const got = run(true);
          const worst = got.reduce((most, value, i) => Math.max(most, Math.abs(value - (wanted[i] as number))), 0);
          expect(worst).toBeLessThanOrEqual(bound);
          deviated ||= run(false).some((value, i) => value !== got[i]);
        }
      }),
      { numRuns: 15 },
    );
    expect(deviated).toBe(true);
  });
});

describe('numbers that are not finite', () => {
  const shape = { images: 2, channels: 8, outputs: 8, height: 7, width: 10 };
  const [pixels, weights] = [shape.images * shape.height * shape.width, 9 * 64];
  const of = fc.record({
    layout: fc.constantFrom<'NCHW' | 'NHWC'>('NCHW', 'NHWC'),
    isWeight: fc.boolean(),
    place: fc.nat(),
    value: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
    tolerant: fc.boolean(),
    role: fc.constantFrom<'forward' | 'weightGradient'>('forward', 'weightGradient'),
  });

  it('make the same results not finite as plain sums, and spread to their neighbours at most', async () => {
    await fc.assert(
      fc.asyncProperty(of, async ({ layout, isWeight, place, value, tolerant, role }) => {
        const isForward = role === 'forward';
        const [second, results] = isForward ? [weights, pixels * 8] : [pixels * 8, weights];
        const operands = [values(pixels * 8), values(second, 2), new Float32Array(results)];
        const kernel = convolution({ ...shape, layout, role });
        const changed = operands[isWeight ? 1 : 0] as Float32Array;
        const run = (): Float32Array => {
          const prepared = prepare(kernel, operands, { instructions: 'relaxed', tolerant });
          prepared.run();
          return prepared.outputs()[0] as Float32Array;
        };
        const clean = run();
        changed[place % changed.length] = value;
        const [wanted] = (await reference(kernel, operands)) as [Float32Array];
        run().forEach((got, i) => {
          if (!Number.isFinite(wanted[i])) expect(Number.isFinite(got)).toBe(false);
          // Taps of weights, and places of the same 4 x 4 outputs, may follow: else all is as it was.
          else if (isForward && !tolerant) expect(got).toBe(clean[i]);
          else if (Number.isFinite(got)) expect(got).toBe(clean[i]);
        });
      }),
      { numRuns: 40 },
    );
  });
});
