import fc, { type Arbitrary } from 'fast-check';
import type { Attributes, BinaryOp, CompareOp, Node, Op, ReduceKind, UnaryOp } from '../graph/node.ts';
import { createNode } from '../graph/primitives.ts';
import type { DType } from '../types/dtype.ts';
import { elementCount, type Shape, sameShape } from '../types/shape.ts';
import { shapes } from './arbitraries.ts';
import { seededLeaf } from './seeded.ts';

/** A well-typed graph in plain data: every list of numbers describes one, so that shrinking never leaves the type. */
export interface GraphRecipe {
  readonly dtype: 'float32' | 'float64';
  /** Shapes of the leaves; their values follow from their number. */
  readonly leaves: readonly Shape[];
  /** What to do, to which earlier nodes, and how. */
  readonly steps: readonly GraphStep[];
  /** Which nodes to compute; the last one always is. */
  readonly outputs: readonly number[];
}

/** One step of a {@link GraphRecipe}. */
export interface GraphStep {
  readonly kind: keyof typeof stepKinds;
  /** Earlier nodes, counted modulo their number from the newest. */
  readonly first: number;
  readonly second: number;
  /** Chooses among a kind's variants. */
  readonly variant: number;
}

type Step = (context: { x: Node; y: Node; variant: number; seed: number }) => Node;

const make = <O extends Op>(
  op: O,
  sources: readonly Node[],
  attributes: object = {},
  shape?: Shape,
  dtype?: DType,
): Node => createNode(op, sources, attributes as Attributes[O], { ...(shape && { shape }), ...(dtype && { dtype }) });

const reshape = (x: Node, shape: Shape): Node => make('reshape', [x], {}, shape);

function scalar(value: number, like: Node, structural = false): Node {
  const constant = make('constant', [], { value, structural }, undefined, like.dtype);
  return make(
    'expand',
    [
      reshape(
        constant,
        like.shape.map(() => 1),
      ),
    ],
    {},
    like.shape,
  );
}

/** `y` brought to the shape of `x`: by broadcasting, by reshaping, or by way of its sum. */
function fit(y: Node, x: Node): Node {
  if (sameShape(x.shape, y.shape)) return y;
  if (elementCount(x.shape) === elementCount(y.shape)) return reshape(y, x.shape);
  const broadcasts = y.shape.length === x.shape.length && y.shape.every((n, axis) => n === 1 || n === x.shape[axis]);
  if (broadcasts) return make('expand', [y], {}, x.shape);
  const sum = make('reduce', [y], { kind: 'sum', axes: y.shape.map((_, axis) => axis) });
  return make(
    'expand',
    [
      reshape(
        make('sin', [sum]),
        x.shape.map(() => 1),
      ),
    ],
    {},
    x.shape,
  );
}

const axisOf = (x: Node, variant: number): number => variant % Math.max(x.shape.length, 1);
const pick = <T>(list: readonly T[], variant: number): T => list[variant % list.length] as T;

function pairOfMatrices(x: Node): [Node, Node] {
  const columns = x.shape.at(-1) ?? 1;
  const matrix = reshape(x, [columns === 0 ? 0 : elementCount(x.shape) / columns, columns]);
  return [matrix, make('permute', [matrix], { order: [1, 0] })];
}

function convolved(x: Node, variant: number, seed: number): Node {
  const length = x.shape.at(-1) ?? 1;
  const channels = 1 + (variant % 3);
  const rows = length === 0 ? 0 : elementCount(x.shape) / length;
  const columns = make(
    'concat',
    Array.from({ length: channels }, () => reshape(x, [rows, 1, length])),
    { axis: 1 },
  );
  const weight = seededLeaf(x.dtype, [2, channels, 3], seed);
  return make('conv', [columns, weight], {
    stride: [1 + (variant % 2)], padding: [[1, variant % 3]], dilation: [1], inputDilation: [1], groups: 1, role: 'forward',
  }); // biome-ignore format: attributes of a convolution belong on one line
}

/** Every kind takes any float tensor, of any rank and size. */
const stepKinds = {
  unary: ({ x, variant }) =>
    make(pick<UnaryOp>(['neg', 'abs', 'sin', 'cos', 'tanh', 'sigmoid', 'erf', 'sign', 'floor', 'round'], variant), [x]),
  exp: ({ x }) => make('exp', [make('min', [x, scalar(3, x, true)])]),
  root: ({ x, variant }) =>
    make(pick<UnaryOp>(['sqrt', 'log'], variant), [make('add', [make('abs', [x]), scalar(0.5, x)])]),
  binary: ({ x, y, variant }) => make(pick<BinaryOp>(['add', 'sub', 'mul', 'max', 'min'], variant), [x, fit(y, x)]),
  divide: ({ x, y }) => {
    const below = fit(y, x);
    return make('div', [x, make('add', [make('abs', [below]), scalar(1, x, true)])]);
  },
  scale: ({ x, variant }) => make('mul', [x, scalar(pick([0.5, -1, 0.1, 0, 1], variant), x, variant % 2 === 0)]),
  literal: ({ x, variant }) => {
    const op = pick<BinaryOp>(['add', 'sub', 'mul', 'pow', 'div'], variant);
    const value = pick([0, 1, 2, -1], Math.floor(variant / 5));
    const onLeft = variant >= 20 || (op === 'div' && value === 0);
    // Bases and divisors from 0.5 up, so that every power and quotient is a number.
    const isOpen = op === 'pow' || op === 'div';
    const other = isOpen ? make('add', [make('abs', [make('sin', [x])]), scalar(0.5, x)]) : x;
    const number = scalar(isOpen && onLeft ? Math.abs(value) : value, x, true);
    return make(op, onLeft ? [number, other] : [other, number]);
  },
  choose: ({ x, y, variant }) => {
    const other = fit(y, x);
    const condition = make(pick<CompareOp>(['less', 'lessEqual', 'equal', 'notEqual'], variant), [x, scalar(0.25, x)]);
    return make('where', [variant % 3 === 0 ? make('not', [condition]) : condition, x, other]);
  },
  count: ({ x }) => {
    const whole = make('cast', [make('mul', [x, scalar(4, x)])], {}, undefined, 'int32');
    return make('cast', [make('add', [whole, whole])], {}, undefined, x.dtype);
  },
  reduce: ({ x, variant }) => {
    const axes = x.shape.map((_, axis) => axis).filter((axis) => (variant >> axis) % 2 === 0);
    const kind = x.shape.includes(0) ? 'sum' : pick<ReduceKind>(['sum', 'max', 'min', 'sum'], variant);
    const reduced = make('reduce', [x], { kind, axes });
    const scaled = make('mul', [reduced, scalar(kind === 'sum' ? 0.125 : 1, reduced)]);
    return variant % 3 === 0 ? make('expand', [scaled], {}, x.shape) : scaled;
  },
  scan: ({ x, variant }) =>
    x.shape.length === 0
      ? make('neg', [x])
      : make('scan', [make('tanh', [x])], {
          kind: pick(['sum', 'max', 'min'], variant),
          axis: axisOf(x, variant),
          reverse: variant % 2 === 1,
        }),
  softmax: ({ x }) => {
    if (x.shape.includes(0) || x.shape.length === 0) return x;
    const axes = [x.shape.length - 1];
    const largest = make('expand', [make('reduce', [x], { kind: 'max', axes })], {}, x.shape);
    const exponentials = make('exp', [make('sub', [x, largest])]);
    return make('div', [
      exponentials,
      make('expand', [make('reduce', [exponentials], { kind: 'sum', axes })], {}, x.shape),
    ]);
  },
  normalize: ({ x, variant }) => {
    const axes = x.shape.map((_, axis) => axis).filter((axis) => axis >= variant % 2);
    const squares = make('reduce', [make('mul', [x, x])], { kind: 'sum', axes });
    const norm = make('add', [make('sqrt', [squares]), scalar(0.25, squares)]);
    return make('div', [x, make('expand', [norm], {}, x.shape)]);
  },
  permute: ({ x, variant }) => {
    const order = x.shape.map((_, axis) => (axis + variant) % x.shape.length);
    return make('permute', [x], { order });
  },
  flatten: ({ x, variant }) => {
    const count = elementCount(x.shape);
    return reshape(x, variant % 2 === 0 || count % 2 === 1 ? [count] : [count / 2, 2]);
  },
  unsqueeze: ({ x, variant }) => {
    const at = variant % (x.shape.length + 1);
    return x.shape.length > 4 ? x : reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
  },
  flip: ({ x, variant }) => make('flip', [x], { axes: x.shape.length === 0 ? [] : [axisOf(x, variant)] }),
  slice: ({ x, variant }) => {
    const step = x.shape.map((_, axis) => 1 + ((variant >> axis) % 2));
    const start = x.shape.map((size) => (size > 1 ? variant % 2 : 0));
    const shape = x.shape.map((size, axis) => Math.ceil((size - (start[axis] as number)) / (step[axis] as number)));
    return make('slice', [x], { start, step }, shape);
  },
  pad: ({ x, variant }) => {
    const low = x.shape.map((_, axis) => (variant + axis) % 2);
    const high = x.shape.map((_, axis) => ((variant + axis) % 3 === 0 ? 1 : 0));
    return elementCount(x.shape) > 64 ? x : make('pad', [x], { low, high, value: pick([0, 1.5], variant) });
  },
  concat: ({ x, y, variant }) => {
    if (x.shape.length === 0 || elementCount(x.shape) > 64) return make('cos', [x]);
    return make('concat', variant % 2 === 0 ? [x, fit(y, x)] : [fit(y, x), x, x], { axis: axisOf(x, variant) });
  },
  gather: ({ x, variant, seed }) => {
    if (x.shape.length === 0) return x;
    const picks = seededLeaf('int32', variant % 2 === 0 ? [3] : [2, 1], seed);
    return elementCount(x.shape) > 64 ? x : make('gather', [x, picks], { axis: axisOf(x, variant) });
  },
  scatterAdd: ({ x, y, variant, seed }) => {
    if (x.shape.length === 0) return x;
    const axis = axisOf(x, variant);
    const indices = seededLeaf('int32', [x.shape[axis] as number], seed);
    return make('scatterAdd', [x, indices, fit(y, x)], { axis });
  },
  iota: ({ x, variant }) =>
    x.shape.length === 0
      ? x
      : make('add', [
          x,
          make('cast', [make('iota', [], { axis: axisOf(x, variant) }, x.shape)], {}, undefined, x.dtype),
        ]),
  noise: ({ x, variant }) => {
    const word = (value: number): Node => make('constant', [], { value, structural: false }, undefined, 'uint32');
    const bits = make('randomBits', [word(variant), word(2), word(3)], {}, x.shape);
    return make('add', [x, make('mul', [make('cast', [bits], {}, undefined, x.dtype), scalar(2 ** -32, x)])]);
  },
  matmul: ({ x, variant }) => {
    const [matrix, turned] = pairOfMatrices(x);
    return make('matmul', variant % 2 === 0 && (matrix.shape[0] as number) <= 16 ? [matrix, turned] : [turned, matrix]);
  },
  batchedMatmul: ({ x }) => {
    if (x.shape.length < 3) return make('sigmoid', [x]);
    const rank = x.shape.length;
    const order = x.shape.map((_, axis) => (axis < rank - 2 ? axis : axis === rank - 1 ? rank - 2 : rank - 1));
    return make('matmul', [make('tanh', [x]), make('permute', [x], { order })]);
  },
  conv: ({ x, variant, seed }) => (elementCount(x.shape) > 64 ? x : convolved(make('tanh', [x]), variant, seed)),
  detach: ({ x }) => make('detach', [x]),
  barrier: ({ x, y }) => make('barrier', [x, y]),
} satisfies Record<string, Step>;

/** The kinds of steps that recipes take. */
export const graphStepKinds: readonly GraphStep['kind'][] = Object.keys(stepKinds) as GraphStep['kind'][];

/**
 * Recipes of up to `maxSteps` steps (10 unless told).
 *
 * @example
 * import fc from 'fast-check';
 *
 * const property = fc.property(graphRecipes({ maxSteps: 4 }), (recipe) => {
 *   const { outputs } = buildGraph(recipe);
 *   return evaluate(outputs).every((values, i) => values.length === elementCount(outputs[i]!.shape));
 * });
 * fc.assert(property, { numRuns: 10 });
 */
export function graphRecipes({
  dtype = 'float32',
  maxSteps = 10,
}: {
  readonly dtype?: 'float32' | 'float64';
  readonly maxSteps?: number;
} = {}): Arbitrary<GraphRecipe> {
  return fc.record({
    dtype: fc.constant(dtype),
    leaves: fc.array(shapes({ maxRank: 4, maxSize: 4, maxElements: 48 }), { minLength: 1, maxLength: 3 }),
    steps: fc.array(
      fc.record({
        kind: fc.constantFrom(...graphStepKinds),
        first: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.nat({ max: 7 })),
        second: fc.nat({ max: 7 }),
        variant: fc.nat({ max: 39 }),
      }),
      { minLength: 1, maxLength: maxSteps, size: 'max' },
    ),
    outputs: fc.array(fc.nat({ max: 9 }), { maxLength: 2 }),
  });
}

/**
 * The leaves that a recipe asks for.
 *
 * @example
 * const recipe: GraphRecipe = { dtype: 'float32', leaves: [[2, 3]], steps: [], outputs: [] };
 * recipeLeaves(recipe)[0]?.shape; // [2, 3]
 */
export function recipeLeaves(recipe: GraphRecipe): Node[] {
  return recipe.leaves.map((shape, i) => seededLeaf(recipe.dtype, shape, i + 1));
}

/**
 * All nodes that a recipe's steps make, and those it asks for.
 *
 * @example
 * const steps: GraphStep[] = [{ kind: 'conv', first: 0, second: 0, variant: 1 }];
 * const { nodes, outputs } = buildGraph({ dtype: 'float32', leaves: [[2, 3]], steps, outputs: [] });
 * nodes.length; // 2, the leaf and the step
 * outputs.at(-1) === nodes.at(-1); // true
 */
export function buildGraph(
  recipe: GraphRecipe,
  leaves: readonly Node[] = recipeLeaves(recipe),
): { readonly nodes: readonly Node[]; readonly outputs: readonly Node[] } {
  const nodes: Node[] = [...leaves];
  const from = (back: number): Node => nodes[nodes.length - 1 - (back % nodes.length)] as Node;
  recipe.steps.forEach(({ kind, first, second, variant }, i) => {
    nodes.push(stepKinds[kind]({ x: from(first), y: from(second), variant, seed: 100 + i }));
  });
  const outputs = recipe.outputs.map((back) => from(back));
  return { nodes, outputs: [...new Set([...outputs, from(0)])] };
}
