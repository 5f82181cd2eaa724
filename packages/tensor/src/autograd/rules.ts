import type { Node, Op } from '../graph/node.ts';
import { apply, broadcast, filled, literal, reshaped } from '../tensor/apply.ts';
import { where } from '../tensor/arithmetic.ts';
import { convInputGradient, convWeightGradient } from '../tensor/convolution.ts';
import { crop, pad, permute, split } from '../tensor/movement.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { isFloat } from '../types/dtype.ts';

/** What a rule gets: the step, its gradient, its sources and result as tensors. */
export interface Step<O extends Op = Op> {
  readonly node: Node<O>;
  readonly gradient: Tensor;
  readonly sources: readonly Tensor[];
  readonly result: Tensor;
}

/** Gradients of the sources, in order; undefined where none flows. Computed on demand: `needed` says which matter. */
export type Rule<O extends Op = Op> = (step: Step<O>, needed: (source: number) => boolean) => (Tensor | undefined)[];

/** A rule given by a user, held by a `custom` node; the gradients are those of its sources from the second on. */
export type CustomRule = (step: Step<'custom'>) => readonly (Tensor | undefined)[];

const none: Rule = () => [];
const through: Rule = ({ gradient }) => [gradient];

/** Rules of functions of one tensor. */
function of(derive: (g: Tensor, x: Tensor, y: Tensor) => Tensor): Rule {
  return ({ gradient, sources, result }) => [derive(gradient, sources[0] as Tensor, result)];
}

/** Rules of functions of two tensors, one function for each gradient. */
function ofTwo(
  first: (g: Tensor, a: Tensor, b: Tensor, y: Tensor) => Tensor,
  second: (g: Tensor, a: Tensor, b: Tensor, y: Tensor) => Tensor,
): Rule {
  return ({ gradient, sources, result }, needed) => {
    const [a, b] = sources as [Tensor, Tensor];
    return [first, second].map((derive, i) => (needed(i) ? derive(gradient, a, b, result) : undefined));
  };
}

const fixed = (value: number, like: Tensor) => literal(value, like.dtype);
const zeroLike = (x: Tensor) => filled(x.shape, 0, x.dtype);

/** The side that won gets all of the gradient, equal sides half each. */
function extremum(wins: (mine: Tensor, other: Tensor) => Tensor): Rule {
  const share = (g: Tensor, mine: Tensor, other: Tensor) =>
    where(wins(mine, other), g, where(mine.equal(other), g.mul(fixed(0.5, g)), zeroLike(g)));
  return ofTwo(
    (g, a, b) => share(g, a, b),
    (g, a, b) => share(g, b, a),
  );
}

/** d/db a^b = a^b log a, which is 0 (not NaN) where a is 0 and b is not negative. */
function powerByExponent(g: Tensor, a: Tensor, b: Tensor, y: Tensor): Tensor {
  const flat = a.equal(fixed(0, a)).logicalAnd(b.greaterEqual(fixed(0, b)));
  return where(flat, zeroLike(g), g.mul(y).mul(where(flat, fixed(1, a), a).log()));
}

/** d/da a^b = b a^(b - 1), which is 0 (not NaN) where b is 0. */
function powerByBase(g: Tensor, a: Tensor, b: Tensor): Tensor {
  const flat = b.equal(fixed(0, b));
  const exponent = where(flat, fixed(1, b), b.sub(fixed(1, b)));
  return g.mul(where(flat, zeroLike(b), b.mul(apply('pow', [a, exponent], {}))));
}

/** Products of all elements but one, along the last axis, without dividing: exact when some are zero. */
function productsOfOthers(x: Tensor): Tensor {
  const axis = x.rank - 1;
  const size = x.shape[axis] as number;
  const edges = (low: number, high: number) =>
    x.shape.map((_, i) => (i === axis ? ([low, high] as const) : ([0, 0] as const)));
  const running = (part: Tensor, reverse: boolean) => apply('scan', [part], { kind: 'prod', axis, reverse }) as Tensor;
  const before = running(pad(crop(x, axis, 0, size - 1), edges(1, 0), 1), false);
  const after = running(pad(crop(x, axis, 1, size - 1), edges(0, 1), 1), true);
  return before.mul(after);
}

function reduceRule({ node, gradient, sources, result }: Step<'reduce'>): Tensor {
  const { kind, axes } = node.attributes;
  const x = sources[0] as Tensor;
  const g = broadcast(gradient, x.shape);
  if (kind === 'sum') return g;
  if (kind !== 'prod') {
    const ties = x.equal(result);
    return where(ties, broadcast(gradient.div(ties.cast(x.dtype).sum(axes, { keepAxes: true })), x.shape), zeroLike(x));
  }
  if (x.size === 0) return zeroLike(x);
  const order = [...x.shape.keys()].filter((axis) => !axes.includes(axis)).concat(axes);
  const moved = permute(x, order);
  const rows = reshaped(moved, [...moved.shape.slice(0, x.rank - axes.length), axes.reduce((n, axis) => n * (x.shape[axis] as number), 1)]); // biome-ignore format: one call
  const back = x.shape.map((_, axis) => order.indexOf(axis));
  return g.mul(permute(reshaped(productsOfOthers(rows), moved.shape), back));
}

/**
 * Running sums turn round. For running products and extremes, output j depends on inputs i up to j: a square of
 * [..., i, j] says how, exactly also where elements are zero or equal, at the price of memory.
 */
function scanRule({ node, gradient, sources, result }: Step<'scan'>): Tensor {
  const { kind, axis, reverse } = node.attributes;
  if (kind === 'sum') return apply('scan', [gradient], { kind, axis, reverse: !reverse });
  const x = sources[0] as Tensor;
  const last = (t: Tensor) => t.transpose(axis, -1);
  const n = x.shape[axis] as number;
  const along = (axis: number) => apply('iota', [], { axis }, { shape: [n, n] }) as Tensor;
  const [i, j] = [along(0), along(1)];
  const reaches = reverse ? j.lessEqual(i) : i.lessEqual(j);
  const g = last(gradient).unsqueeze(-2);
  const square = [...g.shape.slice(0, -2), n, n];
  if (kind !== 'prod') {
    const ties = reaches.logicalAnd(last(x).unsqueeze(-1).equal(last(result).unsqueeze(-2)));
    const share = g.div(ties.cast(g.dtype).sum(-2, { keepAxes: true }));
    return last(where(ties, share, zeroLike(g)).sum(-1));
  }
  // Row i holds the factors of outputs j with x_i left out.
  const others = where(i.equal(j), fixed(1, x), broadcast(last(x).unsqueeze(-2), square));
  const products: Tensor = apply('scan', [others], { kind, axis: square.length - 1, reverse });
  return last(where(reaches, products.mul(g), zeroLike(g)).sum(-1));
}

/** Puts a slice's gradient back: elements `step` apart, zeros between and around. */
function sliceRule({ node, gradient, sources }: Step<'slice'>): Tensor {
  const { start, step } = node.attributes;
  const full = (sources[0] as Tensor).shape;
  if (gradient.size === 0) return filled(full, 0, gradient.dtype);
  let g = gradient;
  const spaced = gradient.shape.map((size, axis) => size * (step[axis] as number));
  if (step.some((by) => by > 1)) {
    const parted = reshaped(
      g,
      gradient.shape.flatMap((size) => [size, 1]),
    );
    g = reshaped(
      pad(
        parted,
        step.flatMap(
          (by) =>
            [
              [0, 0],
              [0, by - 1],
            ] as const,
        ),
        0,
      ),
      spaced,
    );
  }
  spaced.forEach((size, axis) => {
    const room = (full[axis] as number) - (start[axis] as number);
    if (size > room) g = crop(g, axis, 0, room);
  });
  const widths = g.shape.map((size, axis) => [start[axis] as number, (full[axis] as number) - size - (start[axis] as number)] as const); // biome-ignore format: one call
  return pad(g, widths, 0);
}

function gatherRule({ node, gradient, sources }: Step<'gather'>): Tensor {
  const { axis } = node.attributes;
  const [x, indices] = sources as [Tensor, Tensor];
  const flat = [...x.shape.slice(0, axis), indices.size, ...x.shape.slice(axis + 1)];
  return apply('scatterAdd', [zeroLike(x), reshaped(indices, [indices.size]), reshaped(gradient, flat)], { axis });
}

/** One vector-Jacobian product for each primitive, written in tensor operations: gradients have gradients. */
export const rules = {
  constant: none,
  buffer: none,
  cell: none,
  argument: none,
  iota: none,
  randomBits: none,
  neg: of((g) => g.neg()),
  abs: of((g, x) => g.mul(x.sign())),
  sign: none,
  floor: none,
  ceil: none,
  round: none,
  exp: of((g, _x, y) => g.mul(y)),
  log: of((g, x) => g.div(x)),
  sqrt: of((g, _x, y) => g.mul(fixed(0.5, g)).div(y)),
  sin: of((g, x) => g.mul(x.cos())),
  cos: of((g, x) => g.mul(x.sin()).neg()),
  tanh: of((g, _x, y) => g.mul(fixed(1, y).sub(y.mul(y)))),
  erf: of((g, x) => g.mul(x.mul(x).neg().exp()).mul(fixed(2 / Math.sqrt(Math.PI), g))),
  sigmoid: of((g, _x, y) => g.mul(y).mul(fixed(1, y).sub(y))),
  not: none,
  add: ofTwo(
    (g) => g,
    (g) => g,
  ),
  sub: ofTwo(
    (g) => g,
    (g) => g.neg(),
  ),
  mul: ofTwo(
    (g, _a, b) => g.mul(b),
    (g, a) => g.mul(a),
  ),
  div: ofTwo(
    (g, _a, b) => g.div(b),
    (g, _a, b, y) => g.mul(y).div(b).neg(),
  ),
  floorDiv: none,
  mod: ofTwo(
    (g) => g,
    (g, a, b) => g.mul(a.floorDiv(b)).neg(),
  ),
  pow: ofTwo(powerByBase, powerByExponent),
  max: extremum((mine, other) => mine.greater(other)),
  min: extremum((mine, other) => mine.less(other)),
  equal: none,
  notEqual: none,
  less: none,
  lessEqual: none,
  where: ({ gradient, sources }) => {
    const [condition] = sources as [Tensor];
    const zero = zeroLike(gradient);
    return [undefined, where(condition, gradient, zero), where(condition, zero, gradient)];
  },
  cast: ({ gradient, sources }) => [gradient.cast((sources[0] as Tensor).dtype)],
  reduce: (step) => [reduceRule(step)],
  scan: (step) => [scanRule(step)],
  reshape: of((g, x) => reshaped(g, x.shape)),
  permute: ({ node, gradient }) => [permute(gradient, gradient.shape.map((_, axis) => node.attributes.order.indexOf(axis)))], // biome-ignore format: one call
  expand: of((g, x) => g.sum(x.shape.flatMap((size, axis) => (size === g.shape[axis] ? [] : [axis])), { keepAxes: true })), // biome-ignore format: one call
  pad: ({ node, gradient, sources }) => {
    const { shape } = sources[0] as Tensor;
    const { low } = node.attributes;
    return [shape.reduce((g, size, axis) => crop(g, axis, low[axis] as number, size), gradient)];
  },
  slice: (step) => [sliceRule(step)],
  flip: ({ node, gradient }) => [gradient.flip(node.attributes.axes)],
  concat: ({ node, gradient, sources }) => {
    const { axis } = node.attributes;
    return split(gradient, sources.map(({ shape }) => shape[axis] as number), axis); // biome-ignore format: one call
  },
  matmul: ofTwo(
    (g, _a, b) => g.matmul(b.transpose()),
    (g, a) => a.transpose().matmul(g),
  ),
  conv: ({ node, gradient, sources }, needed) => {
    const [x, weight] = sources as [Tensor, Tensor];
    return [
      needed(0) ? convInputGradient(node, gradient, weight) : undefined,
      needed(1) ? convWeightGradient(node, x, gradient) : undefined,
    ];
  },
  gather: (step) => [gatherRule(step)],
  scatterAdd: ({ node, gradient, sources }, needed) => {
    const indices = sources[1] as Tensor;
    return [gradient, undefined, needed(2) ? gradient.gather(indices, node.attributes.axis) : undefined];
  },
  detach: none,
  barrier: through,
  custom: (step) => [undefined, ...(step.node.attributes.rule as CustomRule)(step)],
  host: none,
} satisfies { [O in Op]: Rule<O> };

/** Whether gradients flow from a node to source number `source` of it. */
export function passesGradient(node: Node, source: number): boolean {
  const from = node.sources[source] as Node;
  if (!isFloat(node.dtype) || !isFloat(from.dtype) || (rules[node.op] as Rule) === none) return false;
  if (node.op === 'custom') return source > 0;
  if (node.op === 'barrier') return source === 0;
  return true;
}
