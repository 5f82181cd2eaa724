import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  averagePool2d,
  conv,
  conv2d,
  convTranspose2d,
  maxPool2d,
  type Tensor,
  tensor,
  vjp,
  zeros,
} from '../src/index.ts';
import { of, sample, values } from './values.ts';

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i] as number, 10);
  });
}

const options = fc.record({
  stride: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
  padding: fc.tuple(
    fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 2 })),
    fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 2 })),
  ),
  dilation: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
  groups: fc.integer({ min: 1, max: 2 }),
});
const geometry = fc.record({
  batch: fc.integer({ min: 1, max: 2 }),
  inner: fc.integer({ min: 1, max: 2 }),
  outer: fc.integer({ min: 1, max: 2 }),
  height: fc.integer({ min: 5, max: 7 }),
  width: fc.integer({ min: 5, max: 7 }),
  kernel: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
});

describe('conv2d', () => {
  test('refuses windows that do not fit', () => {
    const [x, w] = [zeros([1, 1, 2, 4]), zeros([1, 1, 3, 3])];
    const message = 'a window of 3 does not fit axis 2 of [1, 1, 2, 4], 2 with padding';
    expect(() => conv2d(x, w)).toThrow(`conv2d: ${message}`);
    expect(() => maxPool2d(x, 3)).toThrow(`maxPool2d: ${message}`);
    expect(() => conv2d(zeros([1, 1, 4, 4]), w, { dilation: 2 })).toThrow('a window of 5 does not fit');
    expect(conv2d(x, w, { padding: [[1, 0], [0, 0]] }).shape).toEqual([1, 1, 1, 2]); // biome-ignore format: one line
    expect(conv2d(zeros([1, 1, 0, 4]), w).shape).toEqual([1, 1, 0, 2]);
    expect(conv2d(zeros([0, 1, 4, 4]), zeros([2, 1, 3, 3])).shape).toEqual([0, 2, 2, 2]);
  });

  test('in plain loops', () => {
    fc.assert(
      fc.property(options, geometry, ({ stride, padding, dilation, groups }, g) => {
        const x = sample([g.batch, g.inner * groups, g.height, g.width], 1);
        const w = sample([g.outer * groups, g.inner, ...g.kernel], 2);
        const y = conv2d(x, w, { stride, padding, dilation, groups });
        const [, channels, out, across] = y.shape as [number, number, number, number];
        const [xs, ws] = [values(x), values(w)];
        const expected: number[] = [];
        for (let n = 0; n < g.batch; n++)
          for (let o = 0; o < channels; o++)
            for (let p = 0; p < out; p++)
              for (let q = 0; q < across; q++) {
                let sum = 0;
                for (let c = 0; c < g.inner; c++)
                  for (let i = 0; i < g.kernel[0]; i++)
                    for (let j = 0; j < g.kernel[1]; j++) {
                      const row = p * stride[0] + i * dilation[0] - padding[0][0];
                      const column = q * stride[1] + j * dilation[1] - padding[1][0];
                      if (row < 0 || row >= g.height || column < 0 || column >= g.width) continue;
                      const channel = Math.floor(o / g.outer) * g.inner + c;
                      const at = ((n * g.inner * groups + channel) * g.height + row) * g.width + column;
                      const tap = ((o * g.inner + c) * g.kernel[0] + i) * g.kernel[1] + j;
                      sum += (xs[at] as number) * (ws[tap] as number);
                    }
                expected.push(sum);
              }
        expectClose(values(y), expected);
      }),
      { numRuns: 60 },
    );
  });

  test('padding same keeps sizes, also of even kernels', () => {
    expect(conv2d(sample([1, 1, 5, 5]), sample([1, 1, 3, 4]), { padding: 'same' }).shape).toEqual([1, 1, 5, 5]);
    expect(conv(sample([1, 1, 9]), sample([1, 1, 3]), { padding: 'same', dilation: 2 }).shape).toEqual([1, 1, 9]);
    expect(conv(sample([1, 1, 9]), sample([1, 1, 3]), { padding: 'valid' }).shape).toEqual([1, 1, 7]);
  });

  test('any number of spatial axes', () => {
    const cube = conv(sample([1, 1, 2, 2, 2]), tensor(new Float64Array(8).fill(1), { shape: [1, 1, 2, 2, 2] }));
    expectClose(values(cube), [values(sample([8])).reduce((a, b) => a + b)]);
  });

  test('errors name shapes and what fits', () => {
    const x = sample([1, 4, 5, 5]);
    expect(() => conv2d(x, sample([2, 3, 3, 3]))).toThrow(
      'conv2d: input [1, 4, 5, 5] has 4 channels, weight [2, 3, 3, 3] takes 3 x 1 groups',
    );
    expect(() => conv2d(x, sample([4, 2, 3, 3]))).toThrow('Did you mean to permute the weight by (1, 0, ...)?');
    expect(() => conv2d(x, sample([2, 4, 3]))).toThrow('must be [N, C, ...spatial] and [O, C / groups, ...kernel]');
    expect(() => conv2d(sample([1, 4, 5]), sample([2, 4, 3]))).toThrow('conv2d: input [1, 4, 5]');
    expect(() => conv2d(x, sample([3, 2, 3, 3]), { groups: 2 })).toThrow('groups 2 must divide 4 input and 3 output');
    expect(() => conv2d(x, sample([2, 4, 3, 3]), { stride: 0 })).toThrow(
      'conv2d: stride must be a whole number of at least 1 or 2 of them, got 0',
    );
    expect(() => conv2d(x, sample([2, 4, 3, 3]), { padding: [1, 1, 1] })).toThrow('padding must be');
    expect(() => conv2d(x, zeros([2, 4, 3, 3]))).toThrow('conv2d: dtypes differ');
  });
});

describe('gradients of convolutions', () => {
  const dot = (a: Tensor, b: Tensor) => values(a.mul(b).sum())[0] as number;

  test('are its transposes, also where strides do not divide', () => {
    fc.assert(
      fc.property(options, geometry, fc.boolean(), ({ stride, padding, dilation, groups }, g, transposed) => {
        const x = sample([g.batch, g.inner * groups, g.height - 3, g.width], 1);
        const [before, after] = padding[0];
        fc.pre(transposed || (g.kernel[0] - 1) * dilation[0] < g.height - 3 + before + after);
        const w = transposed
          ? sample([g.inner * groups, g.outer, ...g.kernel], 2)
          : sample([g.outer * groups, g.inner, ...g.kernel], 2);
        const y = (transposed ? convTranspose2d : conv2d)(x, w, { stride, padding, dilation, groups });
        const seed = sample(y.shape, 3);
        const [gx, gw] = vjp([y], [seed], [x, w]) as [Tensor, Tensor];
        const product = dot(seed, y);
        expect(dot(gx, x)).toBeCloseTo(product, 9);
        expect(dot(gw, w)).toBeCloseTo(product, 9);
        // Both are bilinear again: their own gradients by the seed give the output back.
        const [back] = vjp([gx], [x], [seed]) as [Tensor];
        expect(dot(back, seed)).toBeCloseTo(product, 9);
        const [other] = vjp([gw], [w], [x]) as [Tensor];
        expect(dot(other, x)).toBeCloseTo(product, 9);
      }),
      { numRuns: 80 },
    );
  });
});

describe('convTranspose2d', () => {
  test('is the gradient of conv2d by its input, wherever strides fit', () => {
    fc.assert(
      fc.property(options, geometry, ({ stride, padding, dilation, groups }, g) => {
        const x = sample([g.batch, g.inner * groups, g.height, g.width], 1);
        const w = sample([g.outer * groups, g.inner, ...g.kernel], 2);
        const y = conv2d(x, w, { stride, padding, dilation, groups });
        const seed = sample(y.shape, 3);
        const rest = [0, 1].map((axis) => {
          const reach = ((g.kernel[axis] as number) - 1) * (dilation[axis] as number) + 1;
          const room =
            (x.shape[axis + 2] as number) + (padding[axis]?.[0] as number) + (padding[axis]?.[1] as number) - reach;
          return room - (y.shape[axis + 2] as number) * (stride[axis] as number) + (stride[axis] as number);
        });
        fc.pre(y.size > 0);
        const back = convTranspose2d(seed, w, { stride, padding, dilation, groups, outputPadding: rest });
        expect(back.shape).toEqual(x.shape);
        const [gradient] = vjp([y], [seed], [x]) as [Tensor];
        expectClose(values(back), values(gradient));
      }),
      { numRuns: 40 },
    );
  });

  test('doubles sizes with stride 2', () => {
    expect(convTranspose2d(sample([1, 4, 8, 8]), sample([4, 2, 2, 2]), { stride: 2 }).shape).toEqual([1, 2, 16, 16]);
    expect(() => convTranspose2d(sample([1, 3, 8, 8]), sample([4, 2, 2, 2]))).toThrow(
      'convTranspose2d: input [1, 3, 8, 8] has 3 channels, weight [4, 2, 2, 2] takes 4',
    );
  });
});

describe('pooling', () => {
  const x = of('float64', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16], [1, 1, 4, 4]);

  test('windows side by side', () => {
    expect(values(averagePool2d(x, 2))).toEqual([3.5, 5.5, 11.5, 13.5]);
    expect(values(maxPool2d(x, 2))).toEqual([6, 8, 14, 16]);
    expect(values(averagePool2d(x, [1, 4]))).toEqual([2.5, 6.5, 10.5, 14.5]);
  });

  test('overlapping and padded windows', () => {
    expect(values(maxPool2d(x, 3, { stride: 1 }))).toEqual([11, 12, 15, 16]);
    expect(values(maxPool2d(x.neg(), 2, { padding: 1 }))).toEqual([-1, -2, -4, -5, -6, -8, -13, -14, -16]);
    expect(values(averagePool2d(x, 2, { padding: 1 }))).toEqual([0.25, 1.25, 1, 3.5, 8.5, 5, 3.25, 7.25, 4]);
    expect(values(averagePool2d(x, 3, { stride: 2 }))).toEqual([expect.closeTo(6, 12)]);
  });

  test('a window that does not divide leaves the rest out', () => {
    expect(values(maxPool2d(x, 3))).toEqual([11]);
    expect(averagePool2d(zeros([2, 3, 5, 7]), 2).shape).toEqual([2, 3, 2, 3]);
    expect(maxPool2d(zeros([0, 3, 4, 4]), 2).shape).toEqual([0, 3, 2, 2]);
  });

  test('errors', () => {
    expect(() => maxPool2d(sample([3, 4, 4]), 2)).toThrow(
      'maxPool2d: needs [N, C, H, W] of real numbers, got float64 [3, 4, 4]',
    );
    expect(() => averagePool2d(x, 0)).toThrow('averagePool2d: window must be a whole number of at least 1');
  });
});
