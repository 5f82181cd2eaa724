import fc from 'fast-check';
import type { Node } from '../../graph/node.ts';
import { createNode } from '../../graph/primitives.ts';
import { readNodes } from '../../runtime/realize.ts';
import type { HostArray } from '../../types/dtype.ts';
import { buildGraph, type GraphRecipe, graphRecipes } from '../random-graph.ts';
import { seededLeaf } from '../seeded.ts';
import { leafOf } from './case.ts';
import { assert, type ConformanceCase, type Context } from './context.ts';

const sum = (x: Node, axes: readonly number[]): Node => createNode('reduce', [x], { kind: 'sum', axes });
const spread = (x: Node, like: Node): Node => createNode('expand', [x], {}, { shape: like.shape });
const turn = (x: Node): Node => createNode('permute', [x], { order: [1, 0] });

/** softmax(x) and x / |x| over the last axis, both from one graph. */
function rows(x: Node): Node[] {
  const axes = [x.shape.length - 1];
  const largest = createNode('reduce', [x], { kind: 'max', axes });
  const exponentials = createNode('exp', [createNode('sub', [x, spread(largest, x)], {})], {});
  const softmax = createNode('div', [exponentials, spread(sum(exponentials, axes), x)], {});
  const norm = createNode('sqrt', [sum(createNode('mul', [x, x], {}), axes)], {});
  return [softmax, createNode('div', [x, spread(norm, x)], {})];
}

/** sigmoid(a b + c) with its gradients' products: what tiles, edges of tiles and epilogues see. */
function products(dtype: 'float32' | 'float64', [m, n, k]: readonly [number, number, number]): Node[] {
  const [a, b] = [seededLeaf(dtype, [m, k], 1), seededLeaf(dtype, [k, n], 2)];
  const bias = spread(seededLeaf(dtype, [1, n], 3), seededLeaf(dtype, [m, n], 4));
  const hidden = createNode('sigmoid', [createNode('add', [createNode('matmul', [a, b], {}), bias], {})], {});
  const toA = createNode('matmul', [hidden, turn(b)], {});
  return [hidden, toA, createNode('matmul', [turn(a), createNode('tanh', [hidden], {})], {})];
}

/** A 3x3 convolution between elementwise work, and the two convolutions of its gradients. */
function convolutions(dtype: 'float32' | 'float64', channels: number, size: number): Node[] {
  const window = { stride: [1, 1], padding: [[1, 1], [1, 1]], dilation: [1, 1], inputDilation: [1, 1], groups: 1 } as const; // biome-ignore format: one line
  const x = createNode('tanh', [seededLeaf(dtype, [2, channels, size, size], 1)], {});
  const w = seededLeaf(dtype, [channels + 4, channels, 3, 3], 2);
  const y = createNode('conv', [x, w], { ...window, role: 'forward' });
  const swap = (node: Node): Node => createNode('permute', [node], { order: [1, 0, 2, 3] });
  const flipped = createNode('flip', [swap(w)], { axes: [2, 3] });
  const toInput = createNode('conv', [y, flipped], { ...window, role: 'inputGradient' });
  const toWeight = createNode('conv', [swap(x), swap(y)], { ...window, role: 'weightGradient' });
  return [createNode('sigmoid', [y], {}), toInput, swap(toWeight)];
}

/** What kernels compute, asked for in other orders than they compute it in, and in several at once. */
function inOtherOrders(dtype: 'float32' | 'float64', channels: number, size: number): Node[] {
  const [convolved, , toWeight] = convolutions(dtype, channels, size) as [Node, Node, Node];
  const [batch, outputs, height, width] = convolved.shape as [number, number, number, number];
  const permuted = (x: Node, ...order: number[]): Node => createNode('permute', [x], { order });
  const reshaped = (x: Node, ...shape: number[]): Node => createNode('reshape', [x], {}, { shape });
  const channelsLast = permuted(convolved, 0, 2, 3, 1);
  const columns = reshaped(channelsLast, batch * height * width, outputs);
  const product = createNode('matmul', [columns, seededLeaf(dtype, [outputs, 9], 3)], {});
  const heads = permuted(reshaped(product, batch, height * width, 3, 3), 2, 0, 1, 3);
  return [
    channelsLast,
    permuted(convolved, 3, 1, 0, 2),
    createNode('tanh', [turn(columns)], {}),
    toWeight,
    permuted(toWeight, 2, 3, 1, 0),
    turn(product),
    reshaped(heads, 3 * batch, height * width, 3),
    ...rows(columns).map(turn),
  ];
}

const corners = [0, -0, 1, -1, 2, 0.5, 3.7, -2.6, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

/** Every arithmetic op with a literal on either side, and of two literals: what simplification folds must be what it was. */
function withLiterals(dtype: 'float32' | 'float64'): Node[] {
  const shape = [corners.length];
  const x = leafOf({
    dtype,
    shape,
    values: corners.map((value) => (dtype === 'float32' ? Math.fround(value) : value)),
  });
  const literals = [0, -0, 1, 2, -1, 0.1].map((value) => {
    const scalar = createNode('constant', [], { value, structural: true }, { dtype });
    return spread(createNode('reshape', [scalar], {}, { shape: [1] }), x);
  });
  const ops = ['add', 'sub', 'mul', 'div', 'pow', 'max', 'min', 'floorDiv', 'mod'] as const;
  return ops.flatMap((op) =>
    literals.flatMap((literal, i) => [
      createNode(op, [x, literal], {}),
      createNode(op, [literal, x], {}),
      createNode('mul', [createNode(op, [literal, literals[(i + 2) % literals.length] as Node], {}), x], {}),
    ]),
  );
}

async function overlap(context: Context, first: GraphRecipe, second: GraphRecipe): Promise<void> {
  const graphs = [buildGraph(first).outputs, buildGraph(second).outputs];
  await Promise.all(graphs.map((outputs) => context.check('overlapping', outputs)));
}

/** Whole graphs: fusion, tiles, long rows, several outputs, runs that overlap. */
export function graphChecks(context: Context): ConformanceCase[] {
  const everyFloat = async (check: (dtype: 'float32' | 'float64') => Promise<unknown>): Promise<void> => {
    for (const dtype of await context.floats()) await check(dtype);
  };
  const runs = 4 * (context.options.numRuns ?? 20);
  return [
    {
      name: 'random graphs',
      run: () =>
        everyFloat((dtype) =>
          context.property(
            graphRecipes({ dtype }),
            async (recipe) => void (await context.check('fused', buildGraph(recipe).outputs)),
            runs,
          ),
        ),
    },
    {
      name: 'arithmetic with literals',
      run: () => everyFloat((dtype) => context.check('literal', withLiterals(dtype))),
    },
    {
      name: 'softmax and normalization of rows, short to long',
      run: () =>
        everyFloat(async (dtype) => {
          for (const shape of [
            [1, 1],
            [3, 7],
            [0, 5],
            [2, 3, 1000],
            [65, 64],
            [1, 20_000],
          ]) {
            await context.check(`rows of ${shape}`, rows(seededLeaf(dtype, shape, 1)));
          }
        }),
    },
    {
      name: 'products of many sizes',
      run: () =>
        everyFloat(async (dtype) => {
          for (const sizes of [
            [1, 1, 1],
            [1, 70, 300],
            [33, 65, 130],
            [64, 64, 64],
            [130, 1, 9],
            [5, 3, 0],
          ] as const) {
            await context.check(`product ${sizes}`, products(dtype, sizes));
          }
        }),
    },
    {
      name: 'convolutions and their gradients',
      run: () =>
        everyFloat(async (dtype) => {
          for (const [channels, size] of [
            [1, 5],
            [3, 8],
            [16, 16],
            [20, 7],
          ] as const) {
            await context.check(`${channels} channels`, convolutions(dtype, channels, size));
          }
        }),
    },
    {
      name: 'results in other orders than they are computed in',
      run: () =>
        everyFloat(async (dtype) => {
          for (const [channels, size] of [
            [1, 5],
            [4, 6],
            [12, 16],
            [20, 7],
          ] as const) {
            await context.check(`${channels} channels`, inOtherOrders(dtype, channels, size));
          }
        }),
    },
    {
      name: 'long elementwise work and long scans',
      run: () =>
        everyFloat(async (dtype) => {
          const x = seededLeaf(dtype, [70_001], 1);
          const y = createNode('add', [createNode('mul', [x, x], {}), createNode('sin', [x], {})], {});
          const scan = createNode('scan', [seededLeaf(dtype, [3, 2000], 2)], { kind: 'sum', axis: 1, reverse: true });
          await context.check('long', [y, sum(y, [0]), scan]);
        }),
    },
    {
      name: 'runs that overlap',
      run: () =>
        context.property(fc.tuple(graphRecipes(), graphRecipes()), ([first, second]) =>
          overlap(context, first, second),
        ),
    },
    {
      name: 'the same bits at every run',
      run: () =>
        everyFloat(async (dtype) => {
          const nodes = (): Node[] => [
            ...products(dtype, [33, 65, 130]),
            ...convolutions(dtype, 16, 9),
            ...rows(seededLeaf(dtype, [3, 5000], 1)),
          ];
          const [once, again] = await context.using(async () => [await readNodes(nodes()), await readNodes(nodes())]);
          (once as HostArray[]).forEach((values, i) => {
            const other = (again as HostArray[])[i] as HostArray;
            const differs = values.findIndex((value, k) => !Object.is(value, other[k]));
            assert(differs < 0, `output ${i}, element ${differs}: ${values[differs]} at first, then ${other[differs]}`);
          });
        }),
    },
  ];
}
