import type { DType } from '../types/dtype.ts';
import { isFloat, isInteger } from '../types/dtype.ts';
import { elementCount, type Shape, sameShape, showShape } from '../types/shape.ts';
import type { Attributes, ConvAttributes, Node, Op } from './node.ts';
import { rawNode } from './node.ts';

interface Inferred {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** What a node's maker may fix beyond sources and attributes: the shape of movements and leaves, a cast's dtype. */
interface Wanted {
  readonly shape?: Shape;
  readonly dtype?: DType;
}

type Rule<O extends Op> = (sources: readonly Node[], attributes: Attributes[O], wanted: Wanted, op: O) => Inferred;

function fail(op: string, message: string): never {
  throw new Error(`${op}: ${message}`);
}

function first(sources: readonly Node[]): Node {
  return sources[0] as Node;
}

const leaf = (_sources: readonly Node[], _attributes: unknown, wanted: Wanted, op: string): Inferred => ({
  shape: wanted.shape ?? fail(op, 'a leaf needs a shape'),
  dtype: wanted.dtype ?? fail(op, 'a leaf needs a dtype'),
});

const identity = (sources: readonly Node[]): Inferred => first(sources);

const floatUnary = (sources: readonly Node[], _: unknown, __: unknown, op: string): Inferred => {
  const x = first(sources);
  if (!isFloat(x.dtype)) fail(op, `needs real numbers, got ${x.dtype}. Use .cast('float32') first`);
  return x;
};

const numberUnary = (sources: readonly Node[], _: unknown, __: unknown, op: string): Inferred => {
  const x = first(sources);
  if (x.dtype === 'bool') fail(op, "needs numbers, got bool. Use .cast('int32') or .cast('float32') first");
  return x;
};

function pair(sources: readonly Node[], op: string): [Node, Node] {
  const [a, b] = sources as [Node, Node];
  if (a.dtype !== b.dtype) fail(op, `dtypes differ, ${a.dtype} and ${b.dtype}. Use .cast('${a.dtype}') on the second`);
  if (!sameShape(a.shape, b.shape)) fail(op, `shapes differ, ${showShape(a.shape)} and ${showShape(b.shape)}`);
  return [a, b];
}

const arithmetic = (sources: readonly Node[], _: unknown, __: unknown, op: string): Inferred => {
  const [a] = pair(sources, op);
  if (a.dtype === 'bool') fail(op, "needs numbers, got bool. Use .cast('int32') first");
  return a;
};

/** max and min of bools are or and and. */
const extremum = (sources: readonly Node[], _: unknown, __: unknown, op: string): Inferred => pair(sources, op)[0];

const real = (sources: readonly Node[], _: unknown, __: unknown, op: string): Inferred => {
  const [a] = pair(sources, op);
  if (!isFloat(a.dtype)) fail(op, `needs real numbers, got ${a.dtype}. Use .cast('float32') first`);
  return a;
};

const comparison = (sources: readonly Node[], _: unknown, __: unknown, op: string): Inferred => ({
  shape: pair(sources, op)[0].shape,
  dtype: 'bool',
});

function sameRank(op: string, list: readonly unknown[], rank: number, what: string): void {
  if (list.length !== rank) fail(op, `${what} has ${list.length} entries for a tensor of rank ${rank}`);
}

/** Output sizes of a convolution's spatial axes. */
export function convOutputSizes(
  input: Shape,
  kernel: Shape,
  attributes: Omit<ConvAttributes, 'role' | 'groups'>,
): number[] {
  return input.map((size, axis) => {
    const [low, high] = attributes.padding[axis] as readonly [number, number];
    const dilated = size === 0 ? 0 : (size - 1) * (attributes.inputDilation[axis] as number) + 1;
    const reach = ((kernel[axis] as number) - 1) * (attributes.dilation[axis] as number) + 1;
    const room = dilated + low + high - reach;
    return room < 0 ? 0 : Math.floor(room / (attributes.stride[axis] as number)) + 1;
  });
}

/** Shape and dtype of every primitive's result; throws where sources do not fit. */
export const inference = {
  constant: (_s, _a, wanted) => ({ shape: [], dtype: wanted.dtype ?? 'float32' }),
  buffer: leaf,
  cell: leaf,
  argument: (_s, _a, wanted) => ({ shape: [], dtype: wanted.dtype ?? 'float32' }),
  iota: (_s, _a, wanted) => ({ shape: wanted.shape ?? [], dtype: 'int32' }),
  randomBits: (_s, _a, wanted) => ({ shape: wanted.shape ?? [], dtype: 'uint32' }),
  neg: numberUnary,
  abs: numberUnary,
  sign: numberUnary,
  floor: floatUnary,
  ceil: floatUnary,
  round: floatUnary,
  exp: floatUnary,
  log: floatUnary,
  sqrt: floatUnary,
  sin: floatUnary,
  cos: floatUnary,
  tanh: floatUnary,
  erf: floatUnary,
  sigmoid: floatUnary,
  not: (sources, _a, _w, op) => {
    const x = first(sources);
    if (x.dtype !== 'bool') fail(op, `needs bool, got ${x.dtype}. Use a comparison first`);
    return x;
  },
  add: arithmetic,
  sub: arithmetic,
  mul: arithmetic,
  div: real,
  floorDiv: arithmetic,
  mod: arithmetic,
  pow: real,
  max: extremum,
  min: extremum,
  equal: comparison,
  notEqual: comparison,
  less: comparison,
  lessEqual: comparison,
  where: (sources, _a, _w, op) => {
    const [condition, a, b] = sources as [Node, Node, Node];
    if (condition.dtype !== 'bool') fail(op, `the condition must be bool, got ${condition.dtype}. Use a comparison`);
    pair([a, b], op);
    if (!sameShape(condition.shape, a.shape))
      fail(op, `shapes differ, ${showShape(condition.shape)} and ${showShape(a.shape)}`);
    return a;
  },
  cast: (sources, _a, wanted, op) => ({
    shape: first(sources).shape,
    dtype: wanted.dtype ?? fail(op, 'needs a dtype'),
  }),
  reduce: (sources, { kind, axes }) => {
    const x = first(sources);
    if (x.dtype === 'bool' && (kind === 'sum' || kind === 'prod'))
      fail(kind, "needs numbers, got bool. Use .cast('int32') first");
    const shape = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
    if ((kind === 'max' || kind === 'min') && elementCount(x.shape) === 0 && elementCount(shape) > 0) {
      fail(kind, `has no value over an empty axis, shape ${showShape(x.shape)}`);
    }
    return { shape, dtype: x.dtype };
  },
  scan: numberUnary,
  reshape: (sources, _a, wanted, op) => {
    const x = first(sources);
    const shape = wanted.shape ?? fail(op, 'needs a shape');
    if (elementCount(shape) !== elementCount(x.shape)) {
      fail(
        op,
        `${showShape(x.shape)} has ${elementCount(x.shape)} elements, ${showShape(shape)} has ${elementCount(shape)}`,
      );
    }
    return { shape, dtype: x.dtype };
  },
  permute: (sources, { order }, _w, op) => {
    const x = first(sources);
    if ([...order].sort((a, b) => a - b).some((axis, index) => axis !== index) || order.length !== x.shape.length) {
      fail(op, `[${order.join(', ')}] is not an order of the axes of ${showShape(x.shape)}`);
    }
    return { shape: order.map((axis) => x.shape[axis] as number), dtype: x.dtype };
  },
  expand: (sources, _a, wanted, op) => {
    const x = first(sources);
    const shape = wanted.shape ?? fail(op, 'needs a shape');
    if (shape.length !== x.shape.length || x.shape.some((size, axis) => size !== 1 && size !== shape[axis])) {
      fail(op, `${showShape(x.shape)} does not expand to ${showShape(shape)}: only axes of size 1 repeat`);
    }
    return { shape, dtype: x.dtype };
  },
  pad: (sources, { low, high }, _w, op) => {
    const x = first(sources);
    sameRank(op, low, x.shape.length, 'padding');
    sameRank(op, high, x.shape.length, 'padding');
    if ([...low, ...high].some((amount) => !Number.isInteger(amount) || amount < 0)) {
      fail(op, 'amounts must be whole numbers of at least 0. Use slice to crop');
    }
    return {
      shape: x.shape.map((size, axis) => size + (low[axis] as number) + (high[axis] as number)),
      dtype: x.dtype,
    };
  },
  slice: (sources, { start, step }, wanted, op) => {
    const x = first(sources);
    const shape = wanted.shape ?? fail(op, 'needs a shape');
    sameRank(op, start, x.shape.length, 'start');
    sameRank(op, step, x.shape.length, 'step');
    sameRank(op, shape, x.shape.length, 'shape');
    shape.forEach((size, axis) => {
      const last = (start[axis] as number) + (size - 1) * (step[axis] as number);
      if (
        size > 0 &&
        (last >= (x.shape[axis] as number) || (start[axis] as number) < 0 || (step[axis] as number) < 1)
      ) {
        fail(
          op,
          `axis ${axis} of ${showShape(x.shape)} has no elements ${start[axis]} to ${last} in steps of ${step[axis]}`,
        );
      }
    });
    return { shape, dtype: x.dtype };
  },
  flip: identity,
  concat: (sources, { axis }, _w, op) => {
    const [head, ...rest] = sources as [Node, ...Node[]];
    let size = head.shape[axis] as number;
    for (const other of rest) {
      if (other.dtype !== head.dtype) fail(op, `dtypes differ, ${head.dtype} and ${other.dtype}`);
      if (other.shape.length !== head.shape.length || other.shape.some((n, i) => i !== axis && n !== head.shape[i])) {
        fail(op, `shapes ${showShape(head.shape)} and ${showShape(other.shape)} differ outside axis ${axis}`);
      }
      size += other.shape[axis] as number;
    }
    return { shape: head.shape.map((n, i) => (i === axis ? size : n)), dtype: head.dtype };
  },
  matmul: (sources, _a, _w, op) => {
    const [a, b] = sources as [Node, Node];
    if (a.dtype !== b.dtype)
      fail(op, `dtypes differ, ${a.dtype} and ${b.dtype}. Use .cast('${a.dtype}') on the second`);
    if (!isFloat(a.dtype)) fail(op, `needs real numbers, got ${a.dtype}. Use .cast('float32') first`);
    const rank = a.shape.length;
    if (rank < 2 || b.shape.length !== rank || !sameShape(a.shape.slice(0, -2), b.shape.slice(0, -2))) {
      fail(op, `batch axes differ, ${showShape(a.shape)} x ${showShape(b.shape)}`);
    }
    if (a.shape[rank - 1] !== b.shape[rank - 2]) {
      const transposed = a.shape[rank - 1] === b.shape[rank - 1] ? '. Did you mean to transpose the second?' : '';
      fail(op, `inner sizes differ, ${showShape(a.shape)} x ${showShape(b.shape)}${transposed}`);
    }
    return { shape: [...a.shape.slice(0, -1), b.shape[rank - 1] as number], dtype: a.dtype };
  },
  conv: (sources, attributes, _w, op) => {
    const [x, w] = sources as [Node, Node];
    const spatial = x.shape.length - 2;
    if (x.dtype !== w.dtype) fail(op, `dtypes differ, input ${x.dtype} and weight ${w.dtype}`);
    if (!isFloat(x.dtype)) fail(op, `needs real numbers, got ${x.dtype}. Use .cast('float32') first`);
    if (spatial < 1 || w.shape.length !== x.shape.length) {
      fail(
        op,
        `input ${showShape(x.shape)} and weight ${showShape(w.shape)} must be [N, C, ...spatial] and [O, C / groups, ...kernel]`,
      );
    }
    const { groups } = attributes;
    const [channels, out] = [x.shape[1] as number, w.shape[0] as number];
    if (channels !== (w.shape[1] as number) * groups || out % groups !== 0) {
      fail(
        op,
        `input ${showShape(x.shape)} has ${channels} channels, weight ${showShape(w.shape)} takes ${w.shape[1]} x ${groups} groups`,
      );
    }
    sameRank(op, attributes.stride, spatial, 'stride');
    sameRank(op, attributes.padding, spatial, 'padding');
    sameRank(op, attributes.dilation, spatial, 'dilation');
    sameRank(op, attributes.inputDilation, spatial, 'inputDilation');
    const sizes = convOutputSizes(x.shape.slice(2), w.shape.slice(2), attributes);
    return { shape: [x.shape[0] as number, out, ...sizes], dtype: x.dtype };
  },
  gather: (sources, { axis }, _w, op) => {
    const [x, indices] = sources as [Node, Node];
    if (!isInteger(indices.dtype)) fail(op, `indices must be int32 or uint32, got ${indices.dtype}`);
    return { shape: [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)], dtype: x.dtype };
  },
  scatterAdd: (sources, { axis }, _w, op) => {
    const [base, indices, updates] = sources as [Node, Node, Node];
    if (!isInteger(indices.dtype)) fail(op, `indices must be int32 or uint32, got ${indices.dtype}`);
    if (base.dtype !== updates.dtype) fail(op, `dtypes differ, ${base.dtype} and ${updates.dtype}`);
    if (base.dtype === 'bool') fail(op, "needs numbers, got bool. Use .cast('int32') first");
    const expected = base.shape.map((size, i) => (i === axis ? (indices.shape[0] as number) : size));
    if (indices.shape.length !== 1 || !sameShape(updates.shape, expected)) {
      fail(
        op,
        `indices ${showShape(indices.shape)} and updates ${showShape(updates.shape)} do not fit ${showShape(base.shape)} at axis ${axis}; updates must be ${showShape(expected)}`,
      );
    }
    return base;
  },
  detach: identity,
  barrier: identity,
  custom: identity,
  host: leaf,
} satisfies { [O in Op]: Rule<O> };

/**
 * A node of the graph, checked: shape and dtype follow from the inference table.
 *
 * @throws a one-line error naming the op and the offending shapes or dtypes.
 */
export function createNode<O extends Op>(
  op: O,
  sources: readonly Node[],
  attributes: Attributes[O],
  wanted: Wanted = {},
): Node<O> {
  const rule = inference[op] as unknown as Rule<O>;
  const { shape, dtype } = rule(sources, attributes, wanted, op);
  return rawNode(op, sources, attributes, shape, dtype);
}
