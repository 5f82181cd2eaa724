import { hostArrayFrom } from '../types/dtype.ts';
import { elementCount } from '../types/shape.ts';
import { isOp, type Node, type Op, topologicalOrder } from './node.ts';
import { conv, matmul } from './reference/contraction.ts';
import { binary, cast, compare, unary, type Values, where } from './reference/elementwise.ts';
import { concat, eachPosition, expand, flip, gather, pad, permute, slice } from './reference/movement.ts';
import { reduce, scan, scatterAdd } from './reference/reduction.ts';
import { represent } from './reference/rounding.ts';
import { threefry } from './reference/threefry.ts';

/** How an evaluation finds what the graph does not hold. */
export interface EvaluateOptions {
  /**
   * Values of a buffer or cell, row-major. Where it gives undefined, a buffer's host values are taken and a cell's
   * pending source is followed.
   */
  readonly leafValue?: (node: Node<'buffer'> | Node<'cell'>) => ArrayLike<number> | undefined;
  /** Value of an argument node of a compiled function. */
  readonly argumentValue?: (node: Node<'argument'>) => number;
  /** `'float32'` rounds every node's values to its dtype; otherwise floats stay float64 from the leaves on. */
  readonly round?: 'float32';
}

type Rule<O extends Op> = (
  sources: readonly Values[],
  node: Node<O>,
  options: EvaluateOptions,
) => Values | Promise<Values>;

const identity = ([x]: readonly Values[]): Values => x as Values;

/** What a leaf holds: its dtype's numbers, also when floats are not rounded on the way. */
function leaf(node: Node, values: ArrayLike<number> | undefined): Values {
  if (values === undefined) {
    throw new Error(`evaluate: no values for ${node.op} node ${node.id}, its values are on a device. Pass leafValue`);
  }
  return Float64Array.from(values, (value) => represent(node.dtype, value));
}

/** Every primitive in plain loops over float64: what the other tables and every backend are held to. */
export const reference = {
  constant: (_s, node) => leaf(node, [node.attributes.value]),
  buffer: (_s, node, { leafValue }) => leaf(node, leafValue?.(node) ?? node.attributes.storage.host),
  cell: ([pending], node, { leafValue }) => {
    const own = leafValue?.(node);
    return own === undefined && pending !== undefined ? pending : leaf(node, own);
  },
  argument: (_s, node, { argumentValue }) => leaf(node, argumentValue && [argumentValue(node)]),
  iota: (_s, node) => {
    const result = new Float64Array(elementCount(node.shape));
    eachPosition(node.shape, (position, flat) => {
      result[flat] = position[node.attributes.axis] as number;
    });
    return result;
  },
  randomBits: ([low, high, stream], node) => {
    const key = [low?.[0] as number, high?.[0] as number] as const;
    const second = stream?.[0] as number;
    return new Float64Array(elementCount(node.shape)).map((_, element) => threefry(key, [element, second])[0]);
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
  where,
  cast,
  reduce,
  scan,
  reshape: identity,
  permute,
  expand,
  pad,
  slice,
  flip,
  concat,
  matmul,
  conv,
  gather,
  scatterAdd,
  detach: identity,
  barrier: identity,
  custom: identity,
  host: async (sources, node) => {
    const inputs = node.sources.map((source, i) => hostArrayFrom(source.dtype, sources[i] as Values));
    return new Float64Array(await node.attributes.run(inputs, new Float64Array()));
  },
} satisfies { [O in Op]: Rule<O> };

/** One node's values from its sources' values. */
export function applyReference(
  node: Node,
  sources: readonly Values[],
  options: EvaluateOptions = {},
): Values | Promise<Values> {
  const values = (reference[node.op] as unknown as Rule<Op>)(sources, node, options);
  if (options.round === undefined) return values;
  const round = (exact: Values): Values => exact.map((value) => represent(node.dtype, value));
  return values instanceof Promise ? values.then(round) : round(values);
}

/** Nodes in the order to evaluate them; a cell that `leafValue` knows hides its source. */
function order(nodes: readonly Node[], { leafValue }: EvaluateOptions): Node[] {
  return topologicalOrder(nodes, (node) => isOp(node, 'cell') && leafValue?.(node) !== undefined);
}

/**
 * Values of `nodes`, computed node by node on the host: slow, plain and independent of scheduler and backends.
 *
 * @throws when the graph has a host step (use {@link evaluateAsync}) or a leaf without values.
 * @example
 * const { node } = tensor([1, 2, 3]).square().sum();
 * evaluate([node])[0]; // [14]
 */
export function evaluate(nodes: readonly Node[], options: EvaluateOptions = {}): Values[] {
  const known = new Map<Node, Values>();
  for (const node of order(nodes, options)) {
    const values = applyReference(node, sourcesOf(node, known), options);
    if (values instanceof Promise) {
      values.catch(() => {});
      throw new Error(`evaluate: node ${node.id} is a host step, which may take time. Use evaluateAsync`);
    }
    known.set(node, values);
  }
  return nodes.map((node) => known.get(node) as Values);
}

/**
 * As {@link evaluate}, and runs host steps.
 *
 * @example
 * const { node } = tensor([1, 2, 3]).square().sum();
 * (await evaluateAsync([node]))[0]; // [14]
 */
export async function evaluateAsync(nodes: readonly Node[], options: EvaluateOptions = {}): Promise<Values[]> {
  const known = new Map<Node, Values>();
  for (const node of order(nodes, options)) {
    known.set(node, await applyReference(node, sourcesOf(node, known), options));
  }
  return nodes.map((node) => known.get(node) as Values);
}

function sourcesOf(node: Node, known: ReadonlyMap<Node, Values>): Values[] {
  return node.sources.map((source) => known.get(source) ?? new Float64Array());
}
