import type { BinaryOp, CompareOp, Node, Op, UnaryOp } from '../graph/node.ts';
import { constantValue } from '../graph/simplify.ts';
import { alwaysHolds, guardsKey, type IndexSpace, type Linear, type LinearGuard } from '../kernel/index-math.ts';
import type { Expr } from '../kernel/ir.ts';
import type { DType } from '../types/dtype.ts';
import { reshapeParts, stridesOf } from '../types/shape.ts';

type Guards = readonly LinearGuard[];

/** A position in a node's value: one index an axis, and the conditions under which it is inside. */
interface At {
  readonly indices: readonly Linear[];
  readonly guards: Guards;
}

type LowerRule<O extends Op> = (lowering: Lowering, node: Node<O>, at: At) => Expr;

const source = (node: Node, i = 0): Node => node.sources[i] as Node;

const load: LowerRule<Op> = (lowering, node, at) => lowering.load(node, at);
const same: LowerRule<Op> = (lowering, node, at) => lowering.value(source(node), at);
const scalar: LowerRule<'constant' | 'argument'> = (lowering, node) => ({
  kind: 'argument',
  dtype: node.dtype,
  argument: lowering.argument(node),
});

const unary: LowerRule<Op> = (lowering, node, at) => ({
  kind: 'unary',
  dtype: node.dtype,
  op: node.op as UnaryOp,
  operand: lowering.value(source(node), at),
});

const binary: LowerRule<Op> = (lowering, node, at) => ({
  kind: 'binary',
  dtype: node.dtype,
  op: node.op as BinaryOp,
  left: lowering.value(source(node), at),
  right: lowering.value(source(node, 1), at),
});

const compare: LowerRule<Op> = (lowering, node, at) => ({
  kind: 'compare',
  dtype: 'bool',
  op: node.op as CompareOp,
  left: lowering.value(source(node), at),
  right: lowering.value(source(node, 1), at),
});

/** `then` inside the guards, `otherwise` outside; nothing is kept of guards that always hold. */
export function guarded(lowering: Lowering, guards: Guards, then: Expr, otherwise: Expr): Expr {
  const open = guards.filter((guard) => !alwaysHolds(guard));
  if (open.length === 0) return then;
  // A load under the same guards already reads 0 outside.
  const isZero = otherwise.kind === 'literal' && Object.is(otherwise.value, 0);
  if (isZero && then.kind === 'load' && lowering.carries(then, open)) return then;
  return {
    kind: 'guard',
    dtype: then.dtype,
    guards: open.map((guard) => lowering.space.emitGuard(guard)),
    then,
    otherwise,
  };
}

/** How each primitive reads as an expression over loop indices. Those with kernels of their own are loads. */
const lowerings = {
  constant: (lowering, node, at) =>
    node.attributes.structural
      ? { kind: 'literal', dtype: node.dtype, value: node.attributes.value }
      : scalar(lowering, node, at),
  argument: scalar,
  buffer: load,
  cell: load,
  iota: (lowering, node, { indices }) => ({
    kind: 'index',
    dtype: 'int32',
    index: lowering.space.emit(indices[node.attributes.axis] as Linear),
  }),
  randomBits: (lowering, node, { indices, guards }) => {
    const [key0, key1, stream] = node.sources.map((word) => lowering.value(word, { indices: [], guards })) as [
      Expr,
      Expr,
      Expr,
    ];
    const position = lowering.space.emit(lowering.space.dot(indices, stridesOf(node.shape)));
    const element: Expr = {
      kind: 'cast',
      dtype: 'uint32',
      operand: { kind: 'index', dtype: 'int32', index: position },
    };
    return { kind: 'random', dtype: 'uint32', key: [key0, key1], element, stream };
  },
  neg: unary,
  abs: unary,
  sign: unary,
  floor: unary,
  ceil: unary,
  round: unary,
  exp: unary,
  log: unary,
  sqrt: unary,
  sin: unary,
  cos: unary,
  tanh: unary,
  erf: unary,
  sigmoid: unary,
  not: unary,
  add: binary,
  sub: binary,
  mul: binary,
  div: binary,
  floorDiv: binary,
  mod: binary,
  pow: binary,
  max: binary,
  min: binary,
  equal: compare,
  notEqual: compare,
  less: compare,
  lessEqual: compare,
  where: (lowering, node, at) => ({
    kind: 'where',
    dtype: node.dtype,
    condition: lowering.value(source(node), at),
    then: lowering.value(source(node, 1), at),
    otherwise: lowering.value(source(node, 2), at),
  }),
  cast: (lowering, node, at) => ({ kind: 'cast', dtype: node.dtype, operand: lowering.value(source(node), at) }),
  reduce: load,
  scan: load,
  reshape: (lowering, node, { indices, guards }) => {
    const { shape } = source(node);
    const { space } = lowering;
    // Part by part, so that an index outside (guarded anyway) carries no divisions into its neighbours.
    const inner = reshapeParts(node.shape, shape).flatMap(({ from, to }) => {
      const position = space.dot(indices.slice(...from), stridesOf(node.shape.slice(...from)));
      return space.unravel(position, shape.slice(...to));
    });
    return lowering.value(source(node), { indices: inner, guards });
  },
  permute: (lowering, node, { indices, guards }) => {
    const inner = new Array<Linear>(indices.length);
    node.attributes.order.forEach((axis, i) => {
      inner[axis] = indices[i] as Linear;
    });
    return lowering.value(source(node), { indices: inner, guards });
  },
  expand: (lowering, node, { indices, guards }) => {
    const { shape } = source(node);
    const inner = indices.map((index, axis) => (shape[axis] === 1 ? lowering.space.literal(0) : index));
    return lowering.value(source(node), { indices: inner, guards });
  },
  pad: (lowering, node, { indices, guards }) => {
    const { low, value } = node.attributes;
    const { shape } = source(node);
    const inner = indices.map((index, axis) =>
      lowering.space.add(index, lowering.space.literal(-(low[axis] as number))),
    );
    const inside = inner.map(
      (index, axis): LinearGuard => ({ kind: 'range', index, from: 0, to: shape[axis] as number }),
    );
    const otherwise: Expr = { kind: 'literal', dtype: node.dtype, value };
    const then = lowering.value(source(node), { indices: inner, guards: [...guards, ...inside] });
    return guarded(lowering, inside, then, otherwise);
  },
  slice: (lowering, node, { indices, guards }) => {
    const { start, step } = node.attributes;
    const { space } = lowering;
    const inner = indices.map((index, axis) =>
      space.add(space.mul(index, step[axis] as number), space.literal(start[axis] as number)),
    );
    return lowering.value(source(node), { indices: inner, guards });
  },
  flip: (lowering, node, { indices, guards }) => {
    const { space } = lowering;
    const inner = indices.map((index, axis) =>
      node.attributes.axes.includes(axis)
        ? space.add(space.mul(index, -1), space.literal((node.shape[axis] as number) - 1))
        : index,
    );
    return lowering.value(source(node), { indices: inner, guards });
  },
  concat: (lowering, node, { indices, guards }) => {
    const { axis } = node.attributes;
    const { space } = lowering;
    const part = (number: number, offset: number): Expr => {
      const piece = source(node, number);
      const size = piece.shape[axis] as number;
      const index = space.add(indices[axis] as Linear, space.literal(-offset));
      const inside: LinearGuard[] = [{ kind: 'range', index, from: 0, to: size }];
      const inner = indices.map((other, i) => (i === axis ? index : other));
      const value = lowering.value(piece, { indices: inner, guards: [...guards, ...inside] });
      if (number === node.sources.length - 1) return value;
      return guarded(lowering, inside, value, part(number + 1, offset + size));
    };
    return part(0, 0);
  },
  matmul: load,
  conv: load,
  gather: (lowering, node, { indices, guards }) => {
    const { axis } = node.attributes;
    const [x, positions] = node.sources as [Node, Node];
    const rank = positions.shape.length;
    const size = x.shape[axis] as number;
    const index = lowering.loadIndex(positions, { indices: indices.slice(axis, axis + rank), guards }, size);
    const inside: LinearGuard[] = [{ kind: 'range', index, from: 0, to: size }];
    const inner = [...indices.slice(0, axis), index, ...indices.slice(axis + rank)];
    const value = lowering.value(x, { indices: inner, guards: [...guards, ...inside] });
    return guarded(lowering, inside, value, { kind: 'literal', dtype: node.dtype, value: 0 });
  },
  scatterAdd: load,
  detach: same,
  barrier: same,
  custom: same,
  host: load,
} satisfies { [O in Op]: LowerRule<O> };

/** What a lowering needs to know of the kernel it works for. */
export interface LoweringTarget {
  readonly space: IndexSpace;
  /** The value of a node that the kernel itself computes, or undefined. Throws NotLocal where it is not at hand. */
  local(node: Node, indices: readonly Linear[]): Expr | undefined;
  /** Whether a node is read from a buffer. */
  isStored(node: Node): boolean;
  /** Operand number of a stored node. */
  operand(node: Node): number;
  /** Argument number of a scalar. */
  argument(node: Node): number;
  /** Strides, in elements, of a stored node. */
  strides(node: Node): readonly number[];
}

/** Thrown where a kernel would need one of its own values at another position. */
export class NotLocal extends Error {}

/** Turns nodes into expressions for one kernel; equal values at equal positions are one object. */
export class Lowering {
  readonly space: IndexSpace;
  readonly #target: LoweringTarget;
  /** Most nodes are wanted at one position, few at many. */
  readonly #memo = new Map<Node, { readonly at: At; readonly expr: Expr }[]>();
  readonly #carried = new WeakMap<Expr, string>();

  constructor(target: LoweringTarget) {
    this.space = target.space;
    this.#target = target;
  }

  /** The value of `node` by its own rule, also where the kernel is about to store it. */
  compute(node: Node, at: At): Expr {
    const isLeaf = node.op === 'buffer' || node.op === 'cell';
    return isLeaf ? this.load(node, at) : (lowerings[node.op] as LowerRule<Op>)(this, node, at);
  }

  /** The value of `node` at a position. */
  value(node: Node, at: At): Expr {
    const local = this.#target.local(node, at.indices);
    if (local) return local;
    const constant = constantValue(node);
    if (constant !== undefined) return { kind: 'literal', dtype: node.dtype, value: constant };
    let known = this.#memo.get(node);
    if (known === undefined) {
      known = [];
      this.#memo.set(node, known);
    }
    for (const { at: other, expr } of known) if (sameAt(other, at)) return expr;
    const rule = lowerings[node.op] as LowerRule<Op>;
    const expr = this.#target.isStored(node) ? this.load(node, at) : rule(this, node, at);
    known.push({ at, expr });
    return expr;
  }

  /** An element of a stored node's buffer. */
  load(node: Node, { indices, guards }: At): Expr {
    if (!this.#target.isStored(node)) throw new NotLocal(`${node.op} ${node.id} has no buffer`);
    const open = guards.filter((guard) => !alwaysHolds(guard));
    const expr: Expr = {
      kind: 'load',
      dtype: node.dtype,
      operand: this.#target.operand(node),
      index: this.space.emit(this.space.dot(indices, this.#target.strides(node))),
      guards: open.map((guard) => this.space.emitGuard(guard)),
    };
    this.#carried.set(expr, guardsKey(open));
    return expr;
  }

  /** An element of an integer buffer, as an index into an axis of `size`. */
  loadIndex(node: Node, { indices, guards }: At, size: number): Linear {
    if (!this.#target.isStored(node)) throw new NotLocal(`indices ${node.id} have no buffer`);
    const position = this.space.dot(indices, this.#target.strides(node));
    const open = guards.filter((guard) => !alwaysHolds(guard));
    // One beyond either end stands for everything outside, so that the range guard is never taken for granted.
    return this.space.load(this.#target.operand(node), position, open, { min: -1, max: size });
  }

  argument(node: Node): number {
    return this.#target.argument(node);
  }

  /** Whether a load already reads 0 wherever one of `guards` fails. */
  carries(expr: Expr, guards: Guards): boolean {
    const carried = this.#carried.get(expr)?.split(';') ?? [];
    return guards.every((guard) => carried.includes(guardsKey([guard])));
  }
}

function sameAt(a: At, b: At): boolean {
  if (a.indices.length !== b.indices.length || a.guards.length !== b.guards.length) return false;
  for (let i = 0; i < a.indices.length; i++) if (a.indices[i] !== b.indices[i]) return false;
  for (let i = 0; i < a.guards.length; i++) {
    if (!sameGuard(a.guards[i] as LinearGuard, b.guards[i] as LinearGuard)) return false;
  }
  return true;
}

function sameGuard(a: LinearGuard, b: LinearGuard): boolean {
  if (a === b) return true;
  if (a.index !== b.index) return false;
  if (a.kind === 'range') return b.kind === 'range' && a.from === b.from && a.to === b.to;
  return b.kind === 'multiple' && a.of === b.of;
}

/** The dtype in which sums of `dtype` products are kept. */
export function accumulatorDType(dtype: DType): DType {
  return dtype === 'float16' ? 'float32' : dtype;
}
