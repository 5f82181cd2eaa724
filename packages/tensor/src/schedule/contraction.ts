import type { ConvAttributes, Node } from '../graph/node.ts';
import { isOp } from '../graph/node.ts';
import { axesOf, IndexSpace, type Linear, type LinearGuard } from '../kernel/index-math.ts';
import type { Contraction, ConvTag, Expr, Store, StridedRead } from '../kernel/ir.ts';
import { mapOperands } from '../kernel/walk.ts';
import { ClusterLowering, type Emitted, KernelBindings, type Surroundings } from './emit.ts';
import type { Cluster } from './fuse.ts';
import { mergeAxes, numberAxes, runSize } from './loop-axes.ts';
import { accumulatorDType, guarded } from './lower.ts';
import { stridedRead } from './strided.ts';

/** A contraction's loops, and how its operands are read in them. */
interface Loops {
  readonly space: IndexSpace;
  readonly identity: readonly Linear[];
  /** Space axes by their part: in both operands and the result, in one and the result, summed. */
  readonly batch: number[];
  readonly m: number[];
  readonly n: number[];
  readonly k: number[];
  readonly a: { readonly indices: Linear[]; readonly guards: LinearGuard[] };
  readonly b: { readonly indices: Linear[]; readonly guards: LinearGuard[] };
}

/** Prints a matmul or convolution, with the elementwise work around it as epilogue. */
export function emitContraction(cluster: Cluster, around: Surroundings): Emitted {
  const node = cluster.members[0] as Node;
  const loops = isOp(node, 'conv') ? convLoops(node) : matmulLoops(node);
  const { space } = loops;
  space.defer();
  const lowered = lowerParts(cluster, loops, around);
  const { a, b, stores, bindings } = lowered;
  const parts = isOp(node, 'conv') ? loops : { ...loops, ...spreadBatch(loops, lowered) };
  const groups = [parts.batch, parts.m, parts.n, parts.k].map((axes) => mergeAxes(space, axes));
  const sizes = groups.map((runs) => runs.map((run) => runSize(space, run))) as [
    number[],
    number[],
    number[],
    number[],
  ];
  const [batch, m, n, k] = sizes;
  space.retarget(numberAxes(space, groups));
  const { operands, arguments: scalars } = bindings;
  const conv = isOp(node, 'conv') ? convTag(cluster, around, bindings) : undefined;
  const kernel: Contraction = {
    kind: 'contraction',
    operands,
    arguments: scalars,
    batch,
    m,
    n,
    k,
    a,
    b,
    dtype: accumulatorDType(node.dtype),
    stores,
    ...(conv && { conv }),
  };
  return { kernel: isNarrow(kernel) ? asRows(kernel) : kernel, operands: bindings.bound, scalars: bindings.scalars };
}

interface Parts {
  readonly a: Expr;
  readonly b: Expr;
  readonly stores: Store[];
  readonly bindings: KernelBindings;
  readonly axesOfA: ReadonlySet<number>;
  readonly axesOfB: ReadonlySet<number>;
}

function lowerParts(cluster: Cluster, loops: Loops, around: Surroundings): Parts {
  const node = cluster.members[0] as Node;
  const { space, identity } = loops;
  const bindings = new KernelBindings(cluster.members.flatMap((member) => around.targets(member)));
  const operand = (source: Node, at: Loops['a']): { expr: Expr; axes: Set<number> } => {
    const lowered = new ClusterLowering({ ...cluster, members: [] }, space, identity, around, bindings);
    const axes = new Set<number>();
    for (const index of at.indices) axesOf(index, axes);
    const value = lowered.lowering.value(source, at);
    // Outside the input a tap reads 0, whatever the prologue makes of a 0.
    const zero: Expr = { kind: 'literal', dtype: source.dtype, value: 0 };
    return { expr: guarded(lowered.lowering, at.guards, value, zero), axes };
  };
  const a = operand(node.sources[0] as Node, loops.a);
  const b = operand(node.sources[1] as Node, loops.b);
  const epilogue = new ClusterLowering(cluster, space, identity, around, bindings);
  const stores = cluster.members.flatMap((member) => {
    const value: Expr = member === node ? { kind: 'accumulator', dtype: node.dtype } : epilogue.compute(member);
    epilogue.settle(member, value);
    return epilogue.stores(member, value);
  });
  return { a: a.expr, b: b.expr, stores, bindings, axesOfA: a.axes, axesOfB: b.axes };
}

function matmulLoops(node: Node): Loops {
  const space = new IndexSpace();
  const [a, b] = node.sources as [Node, Node];
  const rank = node.shape.length;
  const identity = node.shape.map((size) => space.addAxis(size));
  const k = space.addAxis(a.shape[rank - 1] as number);
  // An operand that repeats along a batch axis is read without it.
  const batchOf = (operand: Node): Linear[] => {
    const repeats = operand.op === 'expand' ? (operand.sources[0] as Node).shape : operand.shape;
    return identity.slice(0, -2).map((index, axis) => (repeats[axis] === 1 ? space.literal(0) : index));
  };
  const batch = node.shape.slice(0, -2).map((_, axis) => axis);
  return {
    space,
    identity,
    batch,
    m: [rank - 2],
    n: [rank - 1],
    k: [rank],
    a: { indices: [...batchOf(a), identity[rank - 2] as Linear, k], guards: [] },
    b: { indices: [...batchOf(b), k, identity[rank - 1] as Linear], guards: [] },
  };
}

/** Batch axes that only one operand has are rows (or columns) of the result. */
function spreadBatch(loops: Loops, { axesOfA, axesOfB }: Parts): Pick<Loops, 'batch' | 'm' | 'n'> {
  const only = (mine: ReadonlySet<number>, other: ReadonlySet<number>): number[] =>
    loops.batch.filter((axis) => mine.has(axis) && !other.has(axis));
  const m = only(axesOfA, axesOfB);
  const n = only(axesOfB, axesOfA);
  return {
    batch: loops.batch.filter((axis) => !m.includes(axis) && !n.includes(axis)),
    m: [...m, ...loops.m],
    n: [...n, ...loops.n],
  };
}

function convLoops(node: Node<'conv'>): Loops {
  const space = new IndexSpace();
  const { attributes } = node;
  const { groups } = attributes;
  const [x, w] = node.sources as [Node, Node];
  const spatial = node.shape.length - 2;
  const batch = space.addAxis(node.shape[0] as number);
  const group = space.addAxis(groups);
  const perGroup = (node.shape[1] as number) / groups;
  const out = space.addAxis(perGroup);
  const outChannel = space.add(space.mul(group, perGroup), out);
  const positions = node.shape.slice(2).map((size) => space.addAxis(size));
  const channel = space.addAxis(w.shape[1] as number);
  const taps = w.shape.slice(2).map((size) => space.addAxis(size));
  const inner = positions.map((position, axis) =>
    inputIndex(space, attributes, axis, position, taps[axis] as Linear, x.shape[axis + 2] as number),
  );
  const inChannel = space.add(space.mul(group, w.shape[1] as number), channel);
  const positionAxes = positions.map((_, axis) => 3 + axis);
  return {
    space,
    identity: [batch, outChannel, ...positions],
    batch: [1],
    m: [0, ...positionAxes],
    n: [2],
    k: [3 + spatial, ...taps.map((_, axis) => 4 + spatial + axis)],
    a: {
      indices: [batch, inChannel, ...inner.map(({ index }) => index)],
      guards: inner.flatMap(({ guards }) => guards),
    },
    b: { indices: [outChannel, channel, ...taps], guards: [] },
  };
}

/** Where a tap reads along one spatial axis: position * stride + tap * dilation - padding, between the zeros of inputDilation. */
function inputIndex(
  space: IndexSpace,
  attributes: ConvAttributes,
  axis: number,
  position: Linear,
  tap: Linear,
  size: number,
): { index: Linear; guards: LinearGuard[] } {
  const spread = attributes.inputDilation[axis] as number;
  const [low] = attributes.padding[axis] as readonly [number, number];
  const reach = space.add(
    space.mul(position, attributes.stride[axis] as number),
    space.mul(tap, attributes.dilation[axis] as number),
  );
  const dilated = space.add(reach, space.literal(-low));
  if (spread === 1) return { index: dilated, guards: [{ kind: 'range', index: dilated, from: 0, to: size }] };
  const index = space.floorDiv(dilated, spread);
  return {
    index,
    guards: [
      { kind: 'range', index, from: 0, to: size },
      { kind: 'multiple', index: dilated, of: spread },
    ],
  };
}

function convTag(cluster: Cluster, around: Surroundings, bindings: KernelBindings): ConvTag {
  const node = cluster.members[0] as Node<'conv'>;
  const { role, stride, dilation, inputDilation, padding, groups } = node.attributes;
  const [x, w] = node.sources as [Node, Node];
  const read = (operand: Node): StridedRead | undefined => {
    const space = new IndexSpace();
    const identity = operand.shape.map((size) => space.addAxis(size));
    const { lowering } = new ClusterLowering({ ...cluster, members: [] }, space, identity, around, bindings);
    return stridedRead(lowering.value(operand, { indices: identity, guards: [] }), operand.shape);
  };
  const [input, weight] = [read(x), read(w)];
  return {
    role,
    kernel: w.shape.slice(2),
    stride,
    dilation,
    inputDilation,
    padding,
    groups,
    input: x.shape,
    output: node.shape,
    reads: { ...(input && { input }), ...(weight && { weight }) },
  };
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total * size, 1);
}

/** Too few rows or columns for blocks: depthwise convolutions, matrix-vector products. */
function isNarrow({ m, n, k }: Contraction): boolean {
  const [rows, columns] = [product(m), product(n)];
  return Math.min(rows, columns) <= 2 || product(k) <= 2 || rows * columns * product(k) <= 256;
}

/** The same sums as a row kernel: one row an output, the products as its elements. */
function asRows(contraction: Contraction): Emitted['kernel'] {
  const { operands, arguments: scalars, batch, m, n, k, a, b, dtype } = contraction;
  const total: Expr = { kind: 'stage', dtype, stage: 0 };
  const memo = new Map<Expr, Expr>();
  const stores = contraction.stores.map((store) => ({ ...store, value: replaceAccumulator(store.value, total, memo) }));
  return {
    kind: 'row',
    operands,
    arguments: scalars,
    outer: [...batch, ...m, ...n],
    inner: k.length === 0 ? [1] : k,
    stages: [
      { kind: 'reduce', op: 'sum', value: { kind: 'binary', dtype, op: 'mul', left: a, right: b } },
      ...stores.map((store) => ({ kind: 'store', domain: 'row', store }) as const),
    ],
  };
}

function replaceAccumulator(expr: Expr, by: Expr, memo: Map<Expr, Expr>): Expr {
  let result = memo.get(expr);
  if (!result) {
    result = expr.kind === 'accumulator' ? by : mapOperands(expr, (operand) => replaceAccumulator(operand, by, memo));
    memo.set(expr, result);
  }
  return result;
}
