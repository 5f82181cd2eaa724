import type { Node, Op } from '../graph/node.ts';
import { isOp, rawNode } from '../graph/node.ts';
import type { Backend } from '../kernel/backend.ts';
import { canonicalize, type Program } from '../schedule/canonical.ts';
import { elementCount } from '../types/shape.ts';
import { type Cell, cellOf } from './cell.ts';
import { DeviceValues, heldOn } from './device-values.ts';
import { DeviceStorage } from './storage.ts';

/** Most preludes kept, and their largest share of a backend's memory. */
const capacity = 4096;
const memoryShare = 0.25;

/** Results that depend on cells alone, by structure, scalars and versions; undefined where seen once and not kept. */
const kept = new Map<string, DeviceStorage | undefined>();

/** A program whose cell-only parts were taken out. */
export interface Split {
  /** Reads the parts from leaves. */
  readonly program: Program;
  /** Parts to compute first, with their owners. */
  readonly fresh: readonly { readonly node: Node; readonly values: DeviceValues }[];
}

/**
 * Takes out of `program` what depends on cells alone and costs more than a pass over them (normalized weights), where
 * it was seen before at the same versions. Undefined where there is nothing of the kind.
 *
 * @param moving cells that this run updates; nothing of theirs is worth keeping.
 */
export function splitPreludes(program: Program, moving: ReadonlySet<Cell>, backend: Backend): Split | undefined {
  const cells = stableCells(program, moving);
  if (cells === undefined) return undefined;
  const fresh: { node: Node; values: DeviceValues }[] = [];
  const replaced = new Map<Node, Node>();
  let budget = backend.capabilities.memoryBytes * memoryShare - heldOn(backend).preludes;
  for (const root of rootsOf(program, cells)) {
    const key = keyOf(root, program);
    let storage = kept.get(key);
    if (storage === undefined || storage.disposed || storage.values.writer?.failure !== undefined) {
      const seen = kept.has(key);
      remember(key, undefined, root, cells);
      if (!seen) continue;
      const owners = [...(cells.get(root) as ReadonlySet<Cell>)];
      const values = new DeviceValues(
        'preludes',
        `prelude of ${owners[0]?.path}`,
        root.dtype,
        elementCount(root.shape),
      );
      budget -= values.bytes;
      if (budget < 0) continue;
      storage = new DeviceStorage(values);
      fresh.push({ node: root, values });
    }
    remember(key, storage, root, cells);
    replaced.set(root, rawNode('buffer', [], { storage }, root.shape, root.dtype));
  }
  return replaced.size === 0 ? undefined : { program: rebuild(program, replaced), fresh };
}

/** The cells that each node depends on, for nodes that depend on nothing else; undefined where no cell is at rest. */
function stableCells(program: Program, moving: ReadonlySet<Cell>): Map<Node, ReadonlySet<Cell>> | undefined {
  if (!program.leaves.some((leaf) => isOp(leaf, 'cell') && !moving.has(cellOf(leaf)))) return undefined;
  const none: ReadonlySet<Cell> = new Set();
  const cells = new Map<Node, ReadonlySet<Cell>>();
  for (const node of program.nodes) {
    if (isOp(node, 'cell') && program.isCommitted(node)) {
      if (!moving.has(cellOf(node))) cells.set(node, new Set([cellOf(node)]));
    } else if (node.op === 'constant' || node.op === 'iota') cells.set(node, none);
    else if (!volatile.has(node.op) && node.sources.every((source) => cells.has(source))) {
      const union = new Set<Cell>();
      for (const source of node.sources) for (const cell of cells.get(source) as ReadonlySet<Cell>) union.add(cell);
      cells.set(node, union);
    }
  }
  return cells;
}

/** Ops that are never part of a prelude: new at each run, or asked to be computed again. */
const volatile: ReadonlySet<Op> = new Set(['buffer', 'argument', 'randomBits', 'barrier', 'host']);
const movements: ReadonlySet<Op> = new Set([
  'reshape',
  'permute',
  'expand',
  'pad',
  'slice',
  'flip',
  'cast',
  'detach',
  'custom',
  'cell',
]);
const expensive: ReadonlySet<Op> = new Set(['reduce', 'scan', 'matmul', 'conv', 'scatterAdd']);

/** The last cell-only nodes on each path, before movements that only spread them. */
function rootsOf(program: Program, cells: ReadonlyMap<Node, ReadonlySet<Cell>>): Set<Node> {
  const costly = new Set<Node>();
  for (const node of program.nodes) {
    if (!cells.has(node)) continue;
    if (expensive.has(node.op) || node.sources.some((source) => costly.has(source))) costly.add(node);
  }
  const roots = new Set<Node>();
  const visit = (node: Node): void => {
    if (!costly.has(node) || roots.has(node)) return;
    let held = 0;
    for (const cell of cells.get(node) as ReadonlySet<Cell>) held += cell.values.length;
    if (movements.has(node.op) || elementCount(node.shape) > 2 * held) node.sources.forEach(visit);
    else if (held > 0) roots.add(node);
  };
  for (const node of program.nodes) if (!cells.has(node)) node.sources.forEach(visit);
  for (const output of program.outputs) visit(output);
  for (const { value } of program.updates) visit(value);
  return roots;
}

function keyOf(root: Node, { isCommitted }: Program): string {
  const part = canonicalize({ outputs: [root], updates: [], isCommitted });
  const scalars = part.scalars.map((node) => (isOp(node, 'constant') ? node.attributes.value : Number.NaN));
  const leaves = part.leaves.map((leaf) =>
    isOp(leaf, 'cell') ? `${cellOf(leaf).id}@${leaf.attributes.version}` : '?',
  );
  return `${leaves.join(',')}|${scalars.join(',')}|${part.key}`;
}

function remember(
  key: string,
  storage: DeviceStorage | undefined,
  root: Node,
  cells: ReadonlyMap<Node, ReadonlySet<Cell>>,
): void {
  const before = kept.get(key);
  if (!kept.has(key) || before !== storage) {
    for (const cell of cells.get(root) as ReadonlySet<Cell>) {
      cell.onChange(() => {
        if (kept.get(key) !== storage) return;
        kept.delete(key);
        storage?.dispose();
      });
    }
  }
  kept.delete(key);
  kept.set(key, storage);
  while (kept.size > capacity) {
    const [oldest, value] = kept.entries().next().value as [string, DeviceStorage | undefined];
    kept.delete(oldest);
    value?.dispose();
  }
}

/** The program with nodes replaced, its remaining nodes made anew in the same order. */
function rebuild(program: Program, replaced: Map<Node, Node>): Program {
  const { isCommitted } = program;
  for (const node of program.nodes) {
    if (replaced.has(node)) continue;
    if (isOp(node, 'cell') && !isCommitted(node)) {
      replaced.set(node, replaced.get(node.sources[0] as Node) as Node);
      continue;
    }
    const sources = node.op === 'cell' ? [] : node.sources.map((source) => replaced.get(source) as Node);
    replaced.set(node, rawNode(node.op, sources, node.attributes, node.shape, node.dtype));
  }
  return canonicalize({
    outputs: program.outputs.map((node) => replaced.get(node) as Node),
    updates: program.updates.map(({ cell, value }) => ({ cell, value: replaced.get(value) as Node })),
    isCommitted: () => true,
  });
}
