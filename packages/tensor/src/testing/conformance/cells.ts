import type { Node } from '../../graph/node.ts';
import { createNode } from '../../graph/primitives.ts';
import { Cell } from '../../runtime/cell.ts';
import { memory } from '../../runtime/memory.ts';
import { commitNodes, readNodes } from '../../runtime/realize.ts';
import { type HostArray, hostArrayFrom } from '../../types/dtype.ts';
import { assertWithin } from '../compare.ts';
import { type Bounded, evaluateBounded } from '../error-bound.ts';
import { seededLeaf, seededValues } from '../seeded.ts';
import { assert, type ConformanceCase, type Context } from './context.ts';

const add = (a: Node, b: Node): Node => createNode('add', [a, b], {});
const mul = (a: Node, b: Node): Node => createNode('mul', [a, b], {});

/** A number as a launch argument, spread like `x`. */
function number(value: number, { shape, dtype }: Node): Node {
  const constant = createNode('constant', [], { value, structural: false }, { dtype });
  const ones = createNode('reshape', [constant], {}, { shape: shape.map(() => 1) });
  return createNode('expand', [ones], {}, { shape });
}

function cellOf(path: string, shape: readonly number[], seed: number, dtype: 'float32' | 'float64' = 'float32'): Cell {
  return new Cell({ path, shape, dtype, value: seededLeaf(dtype, shape, seed).attributes.storage.host as HostArray });
}

/** One step of Adam on (weights, first and second moment) for the loss sum((w - target)²), as new values. */
function adam([w, m, v]: readonly [Node, Node, Node], target: Node, step: number): [Node, Node, Node] {
  const gradient = mul(number(2, w), createNode('sub', [w, target], {}));
  const nextM = add(mul(number(0.9, m), m), mul(number(0.1, m), gradient));
  const nextV = add(mul(number(0.99, v), v), mul(number(0.01, v), mul(gradient, gradient)));
  const scale = number(-0.05 / (1 - 0.9 ** step), w);
  const root = createNode('sqrt', [mul(nextV, number(1 / (1 - 0.99 ** step), v))], {});
  const next = add(w, createNode('div', [mul(scale, nextM), add(root, number(1e-8, w))], {}));
  return [next, nextM, nextV];
}

async function train(context: Context, dtype: 'float32' | 'float64'): Promise<void> {
  const shape = [7, 5];
  const target = seededLeaf(dtype, shape, 9);
  await context.using(async () => {
    const cells = ['w', 'm', 'v'].map((path, i) => cellOf(path, shape, i + 1, dtype)) as [Cell, Cell, Cell];
    cells[2].write(hostArrayFrom(dtype, seededValues(dtype, 35, 3).map(Math.abs)));
    let expected = cells.map(({ node }) => node) as [Node, Node, Node];
    for (let step = 1; step <= 5; step++) {
      // Each step is checked from the values that the last one really left.
      const before = await readNodes(cells.map(({ node }) => node));
      const leaves = before.map((values) =>
        createNode('buffer', [], { storage: { dtype, length: 35, host: values } }, { shape, dtype }),
      ) as [Node, Node, Node];
      expected = adam(leaves, target, step);
      const bounded = await evaluateBounded(expected);
      const next = adam(cells.map(({ node }) => node) as [Node, Node, Node], target, step);
      cells.forEach((cell, i) => {
        cell.assign(next[i] as Node);
      });
      await commitNodes([]);
      const after = await readNodes(cells.map(({ node }) => node));
      after.forEach((values, i) => {
        assertWithin(`step ${step}`, expected[i] as Node, values, bounded[i] as Bounded);
      });
    }
    for (const cell of cells) cell.dispose();
  });
}

function assertEqual(what: string, got: ArrayLike<number>, want: ArrayLike<number>): void {
  const differs = Array.from(want).findIndex((value, i) => value !== got[i]);
  assert(
    got.length === want.length && differs < 0,
    `${what}: element ${differs} is ${got[differs]}, expected ${want[differs]}`,
  );
}

function assertNear(got: ArrayLike<number>, want: ArrayLike<number>): void {
  const differs = Array.from(want).findIndex((value, i) => !(Math.abs(value - (got[i] as number)) <= 1e-6));
  assert(differs < 0, `element ${differs} is ${got[differs]}, expected ${want[differs]}`);
}

/** Cells: updates in order and in place, exchanges, old values read beside new ones. */
export function cellChecks(context: Context): ConformanceCase[] {
  return [
    {
      name: 'cells: steps of Adam',
      run: async () => {
        for (const dtype of await context.floats()) await train(context, dtype);
      },
    },
    {
      name: 'cells: in-place updates, also through moved indices',
      run: () =>
        context.using(async () => {
          const cell = cellOf('x', [4, 4], 1);
          const start = seededValues('float32', 16, 1);
          const doubled = add(cell.node, cell.node);
          cell.assign(doubled);
          assertEqual(
            'doubled',
            (await readNodes([cell.node]))[0] as HostArray,
            start.map((x) => 2 * x),
          );
          cell.assign(add(cell.node, createNode('permute', [cell.node], { order: [1, 0] })));
          const want = start.map((x, i) => Math.fround(2 * x + 2 * (start[(i % 4) * 4 + Math.floor(i / 4)] as number)));
          assertEqual('plus its transpose', (await readNodes([cell.node]))[0] as HostArray, want);
          cell.assign(createNode('flip', [cell.node], { axes: [0, 1] }));
          assertEqual('reversed', (await readNodes([cell.node]))[0] as HostArray, [...want].reverse());
          cell.dispose();
        }),
    },
    {
      name: 'cells: two exchange their values in one run',
      run: () =>
        context.using(async () => {
          const [a, b] = [cellOf('a', [6], 1), cellOf('b', [6], 2)];
          const [oldA, oldB] = [a.node, b.node];
          a.assign(oldB);
          b.assign(oldA);
          const [nowA, nowB, total] = await readNodes([a.node, b.node, add(oldA, a.node)]);
          const [first, second] = [seededValues('float32', 6, 1), seededValues('float32', 6, 2)];
          assertEqual('a', nowA as HostArray, second);
          assertEqual('b', nowB as HostArray, first);
          assertEqual(
            'old and new',
            total as HostArray,
            first.map((x, i) => Math.fround(x + (second[i] as number))),
          );
          a.dispose();
          b.dispose();
        }),
    },
    {
      name: 'cells: the old value is read beside the update',
      run: () =>
        context.using(async () => {
          const cell = cellOf('x', [5], 1);
          const start = seededValues('float32', 5, 1);
          const old = cell.node;
          for (let i = 0; i < 3; i++) cell.assign(add(cell.node, number(1, cell.node)));
          const [before, after] = await readNodes([old, cell.node]);
          assertEqual('before', before as HostArray, start);
          const plus = (x: number): number => Math.fround(x + 1);
          const bound = start.map((x) => plus(plus(plus(x))));
          assert(
            bound.every((x, i) => Math.abs(x - ((after as HostArray)[i] as number)) < 1e-6),
            `after: ${after}, expected ${bound}`,
          );
          cell.dispose();
        }),
    },
    {
      name: 'cells: one value goes to several cells and readers',
      run: () =>
        context.using(async () => {
          const [a, b] = [cellOf('a', [2, 3], 1), cellOf('b', [2, 3], 2)];
          const picks = new Int32Array([1, 1]);
          const storage = { dtype: 'int32', length: 2, host: picks } as const;
          const indices = createNode('buffer', [], { storage }, { shape: [2], dtype: 'int32' });
          for (const scattered of [false, true]) {
            const value = scattered
              ? createNode('scatterAdd', [a.node, indices, b.node], { axis: 0 })
              : add(a.node, b.node);
            const [first, second] = await readNodes([a.node, b.node]);
            a.assign(value);
            b.assign(value);
            const flat = createNode('reshape', [value], {}, { shape: [6] });
            const [x, y, ...read] = await readNodes([a.node, b.node, value, flat]);
            const want = (first as HostArray).map((p: number, i: number) =>
              scattered
                ? p + (i < 3 ? 0 : ((second as HostArray)[i - 3] as number) + ((second as HostArray)[i] as number))
                : p + ((second as HostArray)[i] as number),
            );
            for (const got of [x, y, ...read]) assertNear(got as HostArray, want);
            a.write(first as HostArray);
            b.write(second as HostArray);
          }
          a.dispose();
          b.dispose();
        }),
    },
    {
      name: 'cells: empty ones and whole numbers',
      run: () =>
        context.using(async () => {
          const empty = new Cell({ path: 'empty', shape: [0, 3], dtype: 'float32', value: new Float32Array() });
          const count = new Cell({ path: 'count', shape: [], dtype: 'int32', value: Int32Array.of(2 ** 31 - 1) });
          empty.assign(add(empty.node, empty.node));
          count.assign(add(count.node, createNode('constant', [], { value: 1, structural: true }, { dtype: 'int32' })));
          const [nothing, next] = await readNodes([empty.node, count.node]);
          assertEqual('empty', nothing as HostArray, []);
          assertEqual('count', next as HostArray, [-(2 ** 31)]);
          empty.dispose();
          count.dispose();
        }),
    },
    {
      name: 'cells: memory stays the same over steps and is given back',
      run: () =>
        context.using(async () => {
          const before = memory().total;
          const cell = cellOf('x', [64, 64], 1);
          const totals: number[] = [];
          for (let step = 1; step <= 12; step++) {
            cell.assign(add(mul(cell.node, number(1 / step, cell.node)), number(step, cell.node)));
            await commitNodes([]);
            totals.push(memory().total);
          }
          await readNodes([cell.node]);
          assert(new Set(totals.slice(2)).size === 1, `bytes held after each step: ${totals}`);
          cell.dispose();
          await readNodes([seededLeaf('float32', [1], 1)]);
          const after = memory().total;
          assert(after <= before + (memory().scratch ?? 0), `held ${before} bytes before and ${after} after`);
        }),
    },
  ];
}
