import type { DType } from '@evenkeel/tensor';
import { type Contraction, type Expr, IndexSpace, type Linear, type LinearGuard } from '@evenkeel/tensor/kernel';

export interface MatmulOptions {
  readonly batch?: readonly number[];
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Stored the other way round. */
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly transposeC?: boolean;
  readonly dtype?: DType;
  /** Scales `a` by an argument and adds a vector over n to the result. */
  readonly withExtras?: boolean;
}

function space(sizes: readonly number[]): { indices: IndexSpace; axes: Linear[] } {
  const indices = new IndexSpace();
  return { indices, axes: sizes.map((size) => indices.addAxis(size)) };
}

/** Operands: a, b, c, and a vector for the extras. */
export function matmul(options: MatmulOptions): Contraction {
  const { batch = [], m, n, k, transposeA, transposeB, transposeC, dtype = 'float32', withExtras } = options;
  const { indices, axes } = space([...batch, m, n, k]);
  const outer = axes.slice(0, batch.length);
  const [i, j, l] = axes.slice(batch.length) as [Linear, Linear, Linear];
  const at = (first: Linear, firstSize: number, second: Linear, secondSize: number, turned?: boolean) => {
    const shape = turned ? [...batch, secondSize, firstSize] : [...batch, firstSize, secondSize];
    const position = turned ? [...outer, second, first] : [...outer, first, second];
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((all, size) => all * size, 1));
    return indices.emit(indices.dot(position, strides));
  };
  const load = (operand: number, index: ReturnType<typeof at>): Expr => ({
    kind: 'load',
    dtype,
    operand,
    index,
    guards: [],
  });
  const a = load(0, at(i, m, l, k, transposeA));
  const sum: Expr = { kind: 'accumulator', dtype };
  const binary = (op: 'add' | 'mul', left: Expr, right: Expr): Expr => ({ kind: 'binary', dtype, op, left, right });
  return {
    kind: 'contraction',
    operands: [
      { dtype, access: 'in' },
      { dtype, access: 'in' },
      ...(withExtras ? [{ dtype, access: 'in' } as const] : []),
      { dtype, access: 'out' },
    ],
    arguments: withExtras ? [dtype] : [],
    batch: [...batch],
    m: [m],
    n: [n],
    k: [k],
    a: withExtras ? binary('mul', a, { kind: 'argument', dtype, argument: 0 }) : a,
    b: load(1, at(l, k, j, n, transposeB)),
    dtype,
    stores: [
      {
        operand: withExtras ? 3 : 2,
        index: at(i, m, j, n, transposeC),
        value: withExtras ? binary('add', sum, load(2, indices.emit(j))) : sum,
      },
    ],
  };
}

export interface ConvOptions {
  readonly images: number;
  readonly channels: number;
  readonly outputs: number;
  /** Of the output; the input is `stride` times as large. */
  readonly height: number;
  readonly width: number;
  readonly kernel?: number;
  readonly stride?: number;
  readonly dilation?: number;
  readonly layout: 'NCHW' | 'NHWC';
  readonly role: 'forward' | 'weightGradient';
  /** Halves the input, and subtracts the number of the output channel from the result. */
  readonly withExtras?: boolean;
}

/** A convolution whose output has as many places as its input has strides. Forward: input, weight OIHW (HWIO with NHWC), output; else input, gradient, weight's gradient. */
export function convolution({
  images,
  channels,
  outputs,
  height,
  width,
  kernel = 3,
  stride = 1,
  dilation = 1,
  layout,
  role,
  withExtras = false,
}: ConvOptions): Contraction {
  const isForward = role === 'forward';
  const positions = [images, height, width];
  const taps = [channels, kernel, kernel];
  const [m, k] = isForward ? [positions, taps] : [taps, positions];
  const { indices, axes } = space([...m, outputs, ...k]);
  const [first, second] = [axes.slice(0, 3), axes.slice(4)];
  const [[image, y, x], [channel, tapY, tapX]] = (isForward ? [first, second] : [second, first]) as [
    [Linear, Linear, Linear],
    [Linear, Linear, Linear],
  ];
  const output = axes[3] as Linear;
  const pad = indices.literal((-dilation * (kernel - 1)) / 2);
  const reach = (position: Linear, tap: Linear): Linear => {
    return indices.add(indices.dot([position, tap], [stride, dilation]), pad);
  };
  const [inY, inX] = [reach(y, tapY), reach(x, tapX)];
  const pixel = (c: Linear, count: number, [row, column]: [Linear, Linear], [rows, width]: [number, number]) =>
    indices.emit(
      layout === 'NCHW'
        ? indices.dot([image, c, row, column], [count * rows * width, rows * width, width, 1])
        : indices.dot([image, row, column, c], [rows * width * count, width * count, count, 1]),
    );
  const guards: LinearGuard[] = [
    { kind: 'range', index: inY, from: 0, to: height * stride },
    { kind: 'range', index: inX, from: 0, to: width * stride },
  ];
  const weight = indices.emit(
    layout === 'NCHW'
      ? indices.dot([output, channel, tapY, tapX], [channels * kernel * kernel, kernel * kernel, kernel, 1])
      : indices.dot([tapY, tapX, channel, output], [kernel * channels * outputs, channels * outputs, outputs, 1]),
  );
  const result = pixel(output, outputs, [y, x], [height, width]);
  const a: Expr = {
    kind: 'load',
    dtype: 'float32',
    operand: 0,
    index: pixel(channel, channels, [inY, inX], [height * stride, width * stride]),
    guards: kernel === 1 ? [] : guards.map((guard) => indices.emitGuard(guard)),
  };
  const sum: Expr = { kind: 'accumulator', dtype: 'float32' };
  const half: Expr = { kind: 'literal', dtype: 'float32', value: 0.5 };
  const number: Expr = { kind: 'index', dtype: 'int32', index: indices.emit(output) };
  const binary = (op: 'mul' | 'sub', left: Expr, right: Expr): Expr => ({
    kind: 'binary',
    dtype: 'float32',
    op,
    left,
    right,
  });
  const value = binary('sub', sum, { kind: 'cast', dtype: 'float32', operand: number });
  return {
    kind: 'contraction',
    operands: [
      { dtype: 'float32', access: 'in' },
      { dtype: 'float32', access: 'in' },
      { dtype: 'float32', access: 'out' },
    ],
    arguments: [],
    batch: [],
    m,
    n: [outputs],
    k,
    a: withExtras ? binary('mul', a, half) : a,
    b: { kind: 'load', dtype: 'float32', operand: 1, index: isForward ? weight : result, guards: [] },
    dtype: 'float32',
    stores: [{ operand: 2, index: isForward ? result : weight, value: withExtras ? value : sum }],
  };
}

/** Numbers between -1 and 1 that repeat with no small period. */
export function values(length: number, seed = 1): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}
