import fc from 'fast-check';
import type { Attributes, Node, Op } from '../../graph/node.ts';
import { createNode } from '../../graph/primitives.ts';
import { evaluate } from '../../graph/reference.ts';
import { Cell } from '../../runtime/cell.ts';
import { commitNodes, pinNodes, readNodes } from '../../runtime/realize.ts';
import { StaleReadError } from '../../runtime/stale-read.ts';
import { disposeNode } from '../../runtime/storage.ts';
import type { HostArray } from '../../types/dtype.ts';
import { seededLeaf } from '../seeded.ts';
import { assert, type ConformanceCase, type Context } from './context.ts';

const shape = [3, 3];
const length = 9;
const cellCount = 3;

const make = <O extends Op>(op: O, sources: readonly Node[], attributes: object = {}): Node =>
  createNode(op, sources, attributes as Attributes[O]);

function literal(value: number): Node {
  const scalar = createNode('constant', [], { value, structural: true }, { dtype: 'float32' });
  return createNode('expand', [createNode('reshape', [scalar], {}, { shape: [1, 1] })], {}, { shape });
}

function leafOf(values: ArrayLike<number>): Node<'buffer'> {
  const storage = { dtype: 'float32', length, host: Float32Array.from(values) } as const;
  return createNode('buffer', [], { storage }, { shape, dtype: 'float32' });
}

/** Whole numbers below 1009, so that every result is exact in float32. */
const within = (x: Node): Node => make('mod', [x, literal(1009)]);

const transpose = (x: Node): Node => make('permute', [x], { order: [1, 0] });

/** What a program may make of two values: in place, through moved indices, through reductions, as they are. */
const functions = {
  add: (a, b) => within(make('add', [a, b])),
  subtract: (a, b) => within(make('sub', [a, b])),
  copy: (a) => a,
  flip: (a) => make('flip', [a], { axes: [0] }),
  addTransposed: (a, b) => within(make('add', [a, transpose(b)])),
  rowSums: (a, b) => {
    const sums = make('reduce', [a], { kind: 'sum', axes: [1] });
    return within(make('add', [createNode('expand', [sums], {}, { shape }), b]));
  },
  scatter: (a, b) => within(make('scatterAdd', [a, seededLeaf('int32', [3], 1), b], { axis: 0 })),
  multiply: (a, b) => within(make('matmul', [a, b])),
} satisfies Record<string, (a: Node, b: Node) => Node>;

type FunctionName = keyof typeof functions;

const names = fc.constantFrom(...(Object.keys(functions) as FunctionName[]));
const cells = fc.nat({ max: cellCount - 1 });
const expression = { name: names, a: cells, b: cells };

/** Steps of a program over three cells, in plain data. */
const commands = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('assign' as const), cell: cells, ...expression }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('write' as const), cell: cells, value: fc.nat({ max: 9 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('capture' as const), ...expression }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('commit' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pin' as const), ...expression }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      captured: fc.boolean(),
      wait: fc.boolean(),
      ...expression,
    }),
  },
);

type Command = typeof commands extends fc.Arbitrary<infer C> ? C : never;

/** A node with what it must give, and the versions of cells that it was built on. */
interface Value {
  readonly node: Node;
  readonly expected: Float64Array;
  readonly versions: readonly { readonly cell: Cell; readonly version: number }[];
}

class CellProgram {
  readonly #cells: Cell[];
  readonly #model: Float64Array[];
  readonly #captured: Value[] = [];
  readonly #pinned: Node[] = [];
  readonly #reads: Promise<void>[] = [];

  constructor() {
    this.#model = Array.from({ length: cellCount }, (_, i) => Float64Array.from({ length }, (_, k) => 10 * i + k));
    this.#cells = this.#model.map(
      (values, i) => new Cell({ path: `cell ${i}`, shape, dtype: 'float32', value: Float32Array.from(values) }),
    );
  }

  async run(program: readonly Command[]): Promise<void> {
    try {
      for (const command of program) await this.#step(command);
      await Promise.all(this.#reads);
      const last = await readNodes(this.#cells.map(({ node }) => node));
      last.forEach((values, i) => {
        this.#hold(`cell ${i} at the end`, values, this.#model[i] as Float64Array);
      });
    } finally {
      await Promise.allSettled(this.#reads);
      for (const cell of this.#cells) cell.dispose();
      for (const node of this.#pinned) disposeNode(node);
    }
  }

  async #step(command: Command): Promise<void> {
    if (command.kind === 'commit') return commitNodes([]);
    if (command.kind === 'write') {
      const values = Float32Array.from({ length }, (_, i) => command.value * 7 + i);
      (this.#cells[command.cell] as Cell).write(values);
      this.#model[command.cell] = Float64Array.from(values);
      return;
    }
    const value = this.#build(command);
    if (command.kind === 'assign') {
      (this.#cells[command.cell] as Cell).assign(value.node);
      this.#model[command.cell] = value.expected;
    } else if (command.kind === 'capture') this.#captured.push(value);
    else if (command.kind === 'pin') {
      const [node] = await pinNodes([value.node]);
      this.#pinned.push(node as Node);
      this.#captured.push({ ...value, node: node as Node, versions: [] });
    } else {
      const read = this.#read(command.captured ? [value, ...this.#captured] : [value]);
      read.catch(() => undefined);
      this.#reads.push(read);
      if (command.wait) await read;
    }
  }

  #build({ name, a, b }: { name: FunctionName; a: number; b: number }): Value {
    const sources = [a, b].map((i) => this.#cells[i] as Cell);
    const [first, second] = sources.map(({ node }) => node) as [Node, Node];
    const model = functions[name](leafOf(this.#model[a] as Float64Array), leafOf(this.#model[b] as Float64Array));
    return {
      node: functions[name](first, second),
      expected: evaluate([model])[0] as Float64Array,
      versions: sources
        .slice(0, name === 'copy' || name === 'flip' ? 1 : 2)
        .map((cell) => ({ cell, version: cell.version })),
    };
  }

  /** What is stale when the read is asked for must say so; all else must come out, whatever is assigned later. */
  async #read(values: readonly Value[]): Promise<void> {
    const isStale = ({ versions }: Value): boolean =>
      versions.some(({ cell, version }) => version < cell.leaf.attributes.version);
    const fresh = values.filter((value) => !isStale(value));
    const stale = values.filter(isStale);
    const results = readNodes(fresh.map(({ node }) => node));
    const refusals = stale.map(({ node }) =>
      readNodes([node]).then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
    (await results).forEach((got, i) => {
      this.#hold('read', got, (fresh[i] as Value).expected);
    });
    for (const error of await Promise.all(refusals)) {
      assert(error instanceof StaleReadError, `a stale read gave ${error ?? 'values'} instead of a StaleReadError`);
    }
  }

  #hold(what: string, got: HostArray, want: Float64Array): void {
    const differs = want.findIndex((value, i) => value !== got[i]);
    assert(differs < 0, `${what}: got [${got}], expected [${want}]`);
  }
}

/** Programs over cells against a model of them: assignments, captured old values, runs that overlap. */
export function cellProgramChecks(context: Context): ConformanceCase[] {
  return [
    {
      name: 'cells: random programs',
      run: () =>
        context.property(
          fc.array(commands, { minLength: 1, maxLength: 14, size: 'max' }),
          (program) => context.using(() => new CellProgram().run(program)),
          4 * (context.options.numRuns ?? 20),
        ),
    },
  ];
}
