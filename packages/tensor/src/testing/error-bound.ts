import type { BinaryOp, CompareOp, Node, Op, UnaryOp } from '../graph/node.ts';
import { isOp, topologicalOrder } from '../graph/node.ts';
import { binaryFunction, unaryFunctions, type Values } from '../graph/reference/elementwise.ts';
import { castValue } from '../graph/reference/rounding.ts';
import { applyReference, type EvaluateOptions, reference } from '../graph/reference.ts';
import { type DType, isFloat } from '../types/dtype.ts';

/** Exact values with how far a correct float implementation may be from them, element by element. */
export interface Bounded {
  readonly values: Values;
  /** Infinity where nothing can be said: past an overflow, or a jump that rounding may take either way. */
  readonly error: Values;
}

/** Largest error of each primitive's own result, in units in the last place; 1 where nothing is said. */
export type Ulps = Partial<Record<Op, number>>;

/** What backends are held to: correctly rounded arithmetic, a few units for functions. */
export const defaultUlps: Ulps = { div: 2, exp: 2, log: 2, sin: 2, cos: 2, tanh: 4, erf: 4, sigmoid: 4, pow: 4 };

const unitRoundoff: Partial<Record<DType, number>> = { float32: 2 ** -24, float64: 2 ** -53, float16: 2 ** -11 };
const overflow: Partial<Record<DType, number>> = {
  float32: 2 ** 128,
  float64: Number.POSITIVE_INFINITY,
  float16: 2 ** 16,
};
const smallestNormal: Partial<Record<DType, number>> = { float32: 2 ** -126, float64: 2 ** -1022, float16: 2 ** -14 };

/** Sizes without what is not finite: infinities and NaN are exact, and no rounding comes from them. */
const magnitude = (values: Values): Values => values.map((x) => (Number.isFinite(x) ? Math.abs(x) : 0));

/** Distance between two results, 0 between equal infinities and between NaNs. */
function distance(a: number, b: number): number {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return 0;
  const gap = Math.abs(a - b);
  return Number.isNaN(gap) ? Number.POSITIVE_INFINITY : gap;
}

function unaryError(op: UnaryOp, x: number, error: number): number {
  if (error === 0) return 0;
  if (op === 'sin' || op === 'cos') return Math.min(error, 2);
  if (op === 'neg' || op === 'abs' || op === 'not') return error;
  const apply = unaryFunctions[op];
  return Math.max(distance(apply(x - error), apply(x)), distance(apply(x + error), apply(x)));
}

function binaryError(node: Node<BinaryOp>, [a, ea]: [number, number], [b, eb]: [number, number]): number {
  const { op } = node;
  const u = unitRoundoff[node.dtype];
  const apply = binaryFunction(node);
  if (u !== undefined && (op === 'floorDiv' || op === 'mod')) {
    // The rounded quotient may sit on the other side of a whole number.
    const rest = Math.abs(a - Math.floor(a / b) * b);
    const slack = 4 * u * Math.max(Math.abs(a), Math.abs(b)) + ea + eb * Math.max(1, Math.abs(a / b));
    if (!Number.isFinite(a) || !Number.isFinite(b) || b === 0) return ea + eb > 0 ? Number.POSITIVE_INFINITY : 0;
    const wraps = Math.min(rest, Math.abs(b) - rest) <= slack;
    return op === 'mod' ? slack + (wraps ? Math.abs(b) : 0) : slack / Math.abs(b) + (wraps ? 1 : 0);
  }
  if (ea === 0 && eb === 0) return 0;
  if (op === 'div' && eb >= Math.abs(b)) return Number.POSITIVE_INFINITY;
  const exact = apply(a, b);
  let worst = 0;
  for (const x of [a - ea, a + ea]) {
    for (const y of [b - eb, b + eb]) worst = Math.max(worst, distance(apply(x, y), exact));
  }
  // Who compares small numbers as zeros, and then takes one of the two as it is, may take either.
  const chooses = (op === 'max' || op === 'min') && ea + eb > 0 && distance(a, b) <= ea + eb;
  return chooses ? Math.max(worst, distance(a, exact), distance(b, exact)) : worst;
}

/** The same node over floats, to run its reference rule on errors and magnitudes. */
function overFloats(node: Node, attributes: object = {}): Node {
  return { ...node, dtype: 'float64', attributes: { ...node.attributes, ...attributes } };
}

function run(node: Node, sources: readonly Values[], attributes?: object): Values {
  return (reference[node.op] as (s: readonly Values[], n: Node, o: EvaluateOptions) => Values)(
    sources,
    overFloats(node, attributes),
    {},
  );
}

/** Most terms that meet in one element of the result. */
function terms(node: Node): number {
  const shape = (i: number): readonly number[] => (node.sources[i] as Node).shape;
  if (isOp(node, 'reduce')) return node.attributes.axes.reduce((n, axis) => n * (shape(0)[axis] as number), 1);
  if (isOp(node, 'scan')) return shape(0)[node.attributes.axis] as number;
  if (node.op === 'matmul') return shape(0).at(-1) as number;
  if (node.op === 'conv')
    return shape(1)
      .slice(1)
      .reduce((n, size) => n * size, 1);
  return (shape(1)[0] as number) + 1;
}

function reductionError(node: Node<'reduce'> | Node<'scan'>, { values, error }: Bounded, u: number): Values {
  const { kind } = node.attributes;
  if (kind === 'max' || kind === 'min') return run(node, [error], { kind: 'max' }).map((e) => Math.max(e, 0));
  const sizes = magnitude(values);
  const steps = (terms(node) + 1) * u;
  if (kind === 'sum') {
    const spread = run(node, [error]);
    const total = run(node, [sizes]);
    return spread.map((e, i) => e + steps * (total[i] as number));
  }
  const exact = run(node, [sizes]);
  const upper = run(node, [sizes.map((x, i) => x + (error[i] as number))]);
  // A partial product may leave the range in one order and stay in it in another.
  const highest = run(node, [sizes.map((x) => Math.max(x, 1))]);
  const lowest = run(node, [sizes.map((x) => (x === 0 ? 1 : Math.min(x, 1)))]);
  return upper.map((up, i) => {
    const leaves = (highest[i] as number) >= (overflow[node.dtype] as number) / 2;
    const vanishes = (lowest[i] as number) < (smallestNormal[node.dtype] as number);
    return leaves || vanishes ? Number.POSITIVE_INFINITY : up - (exact[i] as number) + steps * up;
  });
}

/** |f(a + ea, b + eb) - f(a, b)| of a bilinear node, and the rounding of its sums. */
function contractionError(node: Node, [a, b]: readonly Bounded[], u: number): Values {
  const [x, y] = [a as Bounded, b as Bounded];
  const [sizeX, sizeY] = [magnitude(x.values), magnitude(y.values)];
  const grown = run(node, [
    sizeX.map((v, i) => v + (x.error[i] as number)),
    sizeY.map((v, i) => v + (y.error[i] as number)),
  ]);
  const plain = run(node, [sizeX, sizeY]);
  return grown.map((up, i) => up - (plain[i] as number) + (terms(node) + 1) * u * up);
}

/** What the sources' errors make of the result, before its own rounding; `tiny` may be lost at each step of a sum. */
function propagated(node: Node, sources: readonly Bounded[], u: number, tiny: number): Values {
  const lost = (values: Values): Values => (tiny === 0 ? values : values.map((error) => error + terms(node) * tiny));
  const [first, second, third] = sources as [Bounded, Bounded, Bounded];
  const errors = sources.map(({ error }) => error);
  const inexact = errors.some((error) => error.some((e) => e > 0));
  switch (node.op) {
    case 'reduce':
    case 'scan':
      return lost(reductionError(node as Node<'reduce'>, first, u));
    case 'matmul':
    case 'conv':
      return lost(contractionError(node, sources, u));
    case 'scatterAdd': {
      const spread = run(node, [first.error, second.values, third.error]);
      const total = run(node, [magnitude(first.values), second.values, magnitude(third.values)]);
      return lost(spread.map((e, i) => e + terms(node) * u * (total[i] as number)));
    }
    case 'where':
      return first.error.map((e, i) => {
        const kept = Math.max(second.error[i] as number, third.error[i] as number);
        return e === 0 ? kept : kept + distance(second.values[i] as number, third.values[i] as number);
      });
    case 'cast': {
      const { dtype: from } = node.sources[0] as Node;
      const to = (x: number): number => castValue(from, node.dtype, x);
      return first.values.map((x, i) => {
        const e = first.error[i] as number;
        return e === 0 ? 0 : isFloat(node.dtype) ? e : Math.max(distance(to(x - e), to(x)), distance(to(x + e), to(x)));
      });
    }
    case 'gather':
      return run(node, [first.error, second.values]);
    case 'pad':
      return run(node, errors, { value: 0 });
    case 'equal':
    case 'notEqual':
    case 'less':
    case 'lessEqual':
      return first.error.map((e, i) => {
        const slack = e + (second.error[i] as number);
        const gap = distance(first.values[i] as number, second.values[i] as number);
        return slack > 0 && !(gap > slack) ? 1 : 0;
      });
    case 'reshape':
    case 'permute':
    case 'expand':
    case 'slice':
    case 'flip':
    case 'concat':
    case 'detach':
      return run(node, errors);
    case 'barrier':
    case 'custom':
      return first.error;
    case 'host':
    case 'randomBits':
      return new Float64Array(0);
    default:
      if (sources.length === 2) {
        const pair = node as Node<BinaryOp>;
        return first.values.map((a, i) =>
          binaryError(pair, [a, first.error[i] as number], [second.values[i], second.error[i]] as [number, number]),
        );
      }
      if (sources.length === 0 || !inexact) return new Float64Array(0);
      return first.values.map((x, i) => unaryError(node.op as UnaryOp, x, first.error[i] as number));
  }
}

/** Ops whose result is one of the numbers they were given, or exact. */
const exactOps: ReadonlySet<Op> = new Set<Op | CompareOp>([
  'constant', 'buffer', 'cell', 'argument', 'iota', 'randomBits', 'neg', 'abs', 'sign', 'floor', 'ceil', 'round', 'not',
  'max', 'min', 'equal', 'notEqual', 'less', 'lessEqual', 'where', 'reshape', 'permute', 'expand', 'pad', 'slice',
  'flip', 'concat', 'gather', 'detach', 'barrier', 'custom', 'host',
]); // biome-ignore format: a list of names

interface BoundOptions {
  readonly ulps: Ulps;
  readonly flushes: boolean;
}

function bound(node: Node, sources: readonly Bounded[], values: Values, { ulps, flushes }: BoundOptions): Bounded {
  const u = unitRoundoff[node.dtype] ?? 0;
  const tiny = flushes ? (smallestNormal[node.dtype] ?? 0) : 0;
  const before = propagated(node, sources, u, tiny);
  const own = exactOps.has(node.op) ? 0 : 2 * u * (ulps[node.op] ?? defaultUlps[node.op] ?? 1);
  const limit = overflow[node.dtype] ?? Number.POSITIVE_INFINITY;
  const floor = own === 0 ? 0 : 2 ** -149;
  const error = values.map((value, i) => {
    const size = Math.abs(value);
    const carried = before.length === 0 ? 0 : (before[i] as number);
    const rounded = Number.isFinite(size)
      ? carried + own * (size + carried) + (node.dtype === 'float64' ? 0 : floor)
      : carried;
    const total = size < tiny + rounded ? Math.max(rounded, size) : rounded;
    const leaves = Number.isFinite(size) && size + total >= limit * (1 - 2 * u);
    return Number.isNaN(total) || leaves ? Number.POSITIVE_INFINITY : total;
  });
  return { values, error };
}

/**
 * Values of `nodes` in float64 with error bounds for an implementation in the nodes' own dtypes, by running error
 * analysis: each node adds its own rounding ({@link Ulps}) to what its sources' errors become in it. With
 * `flushesSubnormals` what is below the smallest normal number may be 0.
 *
 * @example
 * const { node } = tensor([1, 2]).exp();
 * const [{ values, error }] = await evaluateBounded([node]) as [Bounded];
 * values.length; // 2
 * error.every((bound) => bound > 0 && bound < 1e-5); // true
 */
export async function evaluateBounded(
  nodes: readonly Node[],
  {
    ulps = {},
    flushesSubnormals: flushes = false,
    ...options
  }: EvaluateOptions & { readonly ulps?: Ulps; readonly flushesSubnormals?: boolean } = {},
): Promise<Bounded[]> {
  const known = new Map<Node, Bounded>();
  const hidden = (node: Node): boolean => isOp(node, 'cell') && options.leafValue?.(node) !== undefined;
  for (const node of topologicalOrder(nodes, hidden)) {
    if (isOp(node, 'cell') && node.sources.length > 0 && !hidden(node)) {
      known.set(node, known.get(node.sources[0] as Node) as Bounded);
      continue;
    }
    const sources = hidden(node) ? [] : node.sources.map((source) => known.get(source) as Bounded);
    const values = await applyReference(
      node,
      sources.map((source) => source.values),
      options,
    );
    known.set(node, bound(node, sources, values, { ulps, flushes }));
  }
  return nodes.map((node) => known.get(node) as Bounded);
}
