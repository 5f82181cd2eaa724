import { describe, expect, test } from 'vitest';
import { compileKernel, printKernel } from '../src/backend-js/index.ts';
import { winogradShape } from '../src/backend-js/winograd-shape.ts';
import type { Contraction, Expr, Index } from '../src/kernel/ir.ts';
import {
  accumulator,
  axis,
  binary,
  expectAgreement,
  input,
  inside,
  literal,
  load,
  output,
  plus,
  rowMajor,
  someValues,
  times,
  unary,
} from './backend-js-build.ts';

interface Sizes {
  n: number;
  c: number;
  o: number;
  height: number;
  width: number;
  padding?: number;
  stride?: number;
  groups?: number;
}

const at = (value: number): Index => ({ kind: 'literal', value });
const outSize = (size: number, { padding = 1, stride = 1 }: Sizes): number =>
  Math.floor((size + 2 * padding - 3) / stride) + 1;

/** [n, groups * c, height, width] with [groups * o, c, 3, 3]; axes: group, (image, y, x), output, (channel, tap y, tap x). */
function conv(sizes: Sizes, prologue: (x: Expr) => Expr = (x) => x): Contraction {
  const { n, c, o, height, width, padding = 1, stride = 1, groups = 1 } = sizes;
  const [h, w] = [outSize(height, sizes), outSize(width, sizes)];
  const place = (position: number, tap: number): Index =>
    plus(plus(times(axis(position), stride), axis(tap)), at(-padding));
  const [y, x] = [place(2, 6), place(3, 7)];
  const channel = plus(times(axis(0), c), axis(5));
  const out = plus(times(axis(0), o), axis(4));
  const image = plus(times(axis(1), groups * c), channel);
  const guards = [inside(y, 0, height), inside(x, 0, width)];
  return {
    kind: 'contraction',
    operands: [input('float32'), input('float32'), output('float32')],
    arguments: [],
    batch: [groups],
    m: [n, h, w],
    n: [o],
    k: [c, 3, 3],
    a: prologue(load(0, plus(times(plus(times(image, height), y), width), x), 'float32', guards)),
    b: load(1, plus(times(out, c * 9), rowMajor([c, 3, 3], 5))),
    dtype: 'float32',
    stores: [
      {
        operand: 2,
        index: plus(times(plus(times(axis(1), groups * o), out), h * w), rowMajor([h, w], 2)),
        value: accumulator,
      },
    ],
  };
}

/** The gradient of weights [o, c, 3, 3]; axes: (channel, tap y, tap x), output, (image, y, x). */
function weightGradient({ n, c, o, height, width, padding = 1 }: Sizes): Contraction {
  const [h, w] = [height + 2 * padding - 2, width + 2 * padding - 2];
  const [y, x] = [plus(plus(axis(5), axis(1)), at(-padding)), plus(plus(axis(6), axis(2)), at(-padding))];
  return {
    kind: 'contraction',
    operands: [input('float32'), input('float32'), output('float32')],
    arguments: [],
    batch: [],
    m: [c, 3, 3],
    n: [o],
    k: [n, h, w],
    a: load(0, plus(times(plus(times(plus(times(axis(4), c), axis(0)), height), y), width), x), 'float32', [
      inside(y, 0, height),
      inside(x, 0, width),
    ]),
    b: load(1, plus(times(plus(times(axis(4), o), axis(3)), h * w), rowMajor([h, w], 5))),
    dtype: 'float32',
    stores: [{ operand: 2, index: plus(times(axis(3), c * 9), rowMajor([c, 3, 3], 0)), value: accumulator }],
  };
}

function operandsFor(
  kernel: Contraction,
  { n, c, o, height, width, groups = 1 }: Sizes,
  isGradient = false,
): Float32Array[] {
  const [h, w] = (isGradient ? kernel.k : kernel.m).slice(-2) as [number, number];
  const [weights, outputs] = [groups * o * c * 9, n * groups * o * h * w];
  const lengths = isGradient
    ? [n * c * height * width, outputs, weights]
    : [n * groups * c * height * width, weights, outputs];
  return lengths.map((length, i) => someValues('float32', length, i + 1) as Float32Array);
}

const close = { exact: false, absolute: 1e-9 };

const shapes: Sizes[] = [
  { n: 2, c: 8, o: 8, height: 8, width: 8 },
  { n: 1, c: 9, o: 11, height: 6, width: 7 },
  { n: 1, c: 8, o: 12, height: 5, width: 9, padding: 2 },
  { n: 3, c: 10, o: 8, height: 10, width: 6, padding: 0 },
];

// More tiles than fit at once: blocks of images, and of rows of one image.
const largeShapes: Sizes[] = [
  { n: 11, c: 25, o: 37, height: 16, width: 16 },
  { n: 1, c: 40, o: 17, height: 52, width: 44 },
];

/** The plain contraction is taken where a store is in place. */
function expectSameAsPlain(kernel: Contraction, operands: readonly Float32Array[]): void {
  expect(winogradShape(kernel)).toBeDefined();
  const last = { dtype: 'float32', access: 'inout' } as const;
  const plain = { ...kernel, operands: [...kernel.operands.slice(0, 2), last] };
  const [fast, slow] = [kernel, plain].map((variant) => {
    const arrays = operands.map((operand) => operand.slice());
    compileKernel(variant)(arrays, new Float64Array(0));
    return arrays[2] as Float32Array;
  }) as [Float32Array, Float32Array];
  const largest = fast.reduce((most, value, i) => Math.max(most, Math.abs(value - (slow[i] as number))), 0);
  expect(largest).toBeLessThan(1e-9);
}

describe('fast 3 x 3 convolutions', () => {
  test.each(shapes)('forward %o', (sizes) => {
    const kernel = conv(sizes);
    expect(winogradShape(kernel)?.role).toBe('forward');
    expectAgreement(kernel, operandsFor(kernel, sizes), close);
  });

  test.each(shapes)('weight gradient %o', (sizes) => {
    const kernel = weightGradient(sizes);
    expect(winogradShape(kernel)?.role).toBe('weightGradient');
    expectAgreement(kernel, operandsFor(kernel, sizes, true), close);
  });

  test.each(largeShapes)('in blocks %o', (sizes) => {
    const [forward, gradient] = [conv(sizes), weightGradient(sizes)];
    expectSameAsPlain(forward, operandsFor(forward, sizes));
    expectSameAsPlain(gradient, operandsFor(gradient, sizes, true));
  });

  test('groups are batches', () => {
    const sizes = { n: 2, c: 8, o: 9, height: 8, width: 5, groups: 3 };
    expectAgreement(conv(sizes), operandsFor(conv(sizes), sizes), close);
  });

  test('an image without a batch axis', () => {
    const sizes = { n: 1, c: 8, o: 8, height: 8, width: 8 };
    const kernel = conv(sizes);
    const shift = (part: unknown): unknown => {
      if (typeof part !== 'object' || part === null) return part;
      if (Array.isArray(part)) return part.map(shift);
      const index = part as { kind?: string; axis: number };
      if (index.kind === 'axis') return index.axis < 2 ? at(0) : axis(index.axis - 2);
      return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, shift(value)]));
    };
    const flat = { ...(shift(kernel) as Contraction), batch: [], m: kernel.m.slice(1) };
    expect(winogradShape(flat)).toBeDefined();
    expectAgreement(flat, operandsFor(kernel, sizes), close);
  });

  test('prologues run once an input element, epilogues see the finished sum', () => {
    const sizes = { n: 2, c: 8, o: 8, height: 8, width: 8 };
    const plain = conv(sizes, (x) => binary('add', unary('exp', x), literal(1)));
    const store = {
      ...(plain.stores[0] as Contraction['stores'][number]),
      value: binary('max', binary('mul', accumulator, literal(0.5)), literal(2)),
    };
    const kernel = { ...plain, stores: [store] };
    expect(winogradShape(kernel)).toBeDefined();
    expectAgreement(kernel, operandsFor(kernel, sizes), { exact: false, absolute: 1e-4 });
    expect(printKernel(kernel).match(/powers\[/g)).toHaveLength(1);
  });

  test('NaN and infinities stay where the plain sums have them', () => {
    for (const [operand, value] of [
      [0, Number.NaN],
      [0, Number.POSITIVE_INFINITY],
      [1, Number.NEGATIVE_INFINITY],
    ] as const) {
      const sizes = { n: 2, c: 8, o: 8, height: 8, width: 8 };
      for (const isGradient of [false, true]) {
        const kernel = isGradient ? weightGradient(sizes) : conv(sizes);
        const operands = operandsFor(kernel, sizes, isGradient);
        (operands[operand] as Float32Array)[70] = value;
        expectAgreement(kernel, operands, close);
      }
    }
  });

  test.each([
    ['stride 2', { n: 1, c: 8, o: 8, height: 9, width: 9, stride: 2 }],
    ['few channels', { n: 1, c: 3, o: 8, height: 8, width: 8 }],
    ['tiles mostly empty', { n: 1, c: 8, o: 8, height: 2, width: 2 }],
    ['weights that do not fit', { n: 1, c: 86, o: 86, height: 3, width: 3 }],
  ])('%s: the plain contraction', (_, sizes) => {
    const kernel = conv(sizes);
    expect(winogradShape(kernel)).toBeUndefined();
    expectAgreement(kernel, operandsFor(kernel, sizes));
  });

  test('three by three alone does not make a convolution: positions and taps must add up', () => {
    const sizes = { n: 1, c: 8, o: 8, height: 8, width: 8 };
    const kernel = conv(sizes);
    const apart = binary('mul', kernel.a, {
      kind: 'cast',
      dtype: 'float32',
      operand: { kind: 'index', dtype: 'int32', index: axis(6) },
    });
    expect(winogradShape({ ...kernel, a: apart })).toBeUndefined();
    expectAgreement({ ...kernel, a: apart }, operandsFor(kernel, sizes));
    const inPlace = [...kernel.operands.slice(0, 2), { dtype: 'float32', access: 'inout' } as const];
    expect(winogradShape({ ...kernel, operands: inPlace })).toBeUndefined();
  });
});
