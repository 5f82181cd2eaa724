import type { Node, Op } from '../graph/node.ts';
import { isOp, rawNode } from '../graph/node.ts';
import type { Backend } from '../kernel/backend.ts';
import { movements } from '../kernel/cost.ts';
import { canonicalize, type Program } from '../schedule/canonical.ts';
import { bytesPerElement } from '../types/dtype.ts';
import { elementCount } from '../types/shape.ts';
import { type Cell, cellOf } from './cell.ts';
import { placeholder } from './storage.ts';

/** Largest share of a backend's memory that the cell-only parts of one program may take. */
export const memoryShare = 0.25;

/** A part of a program that depends on cells at rest alone. */
export interface PreludePart {
  readonly root: Node;
  /** Stands for the root in the program that is left. */
  readonly leaf: Node<'buffer'>;
  /** Structure and numbers; with the versions of `cells` it tells what the result is. */
  readonly key: string;
  readonly cells: readonly Cell[];
  readonly bytes: number;
}

/** A program whose cell-only parts were taken out. */
export interface Split {
  /** Reads the parts from leaves. */
  readonly program: Program;
  readonly parts: readonly PreludePart[];
}

/**
 * Takes out of `program` what depends on cells alone and costs more than a pass over them (normalized weights).
 * Whether a part is taken out depends on the program alone, not on what was computed before: a part that is stored is
 * rounded, one that is fused need not be, and equal programs must give equal bits.
 *
 * @param moving cells that this run updates; nothing of theirs is worth keeping.
 */
export function splitPreludes(program: Program, moving: ReadonlySet<Cell>, backend: Backend): Split | undefined {
  const stable = stableNodes(program, moving);
  if (stable === undefined) return undefined;
  const parts = [...rootsOf(program, stable)].map((root) => partOf(root, program));
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  if (parts.length === 0 || bytes > memoryShare * backend.capabilities.memoryBytes) return undefined;
  return { program: rebuild(program, new Map(parts.map(({ root, leaf }) => [root, leaf]))), parts };
}

/** The program that computes some parts. */
export function programOf(parts: readonly PreludePart[], { isCommitted }: Program): Program {
  return canonicalize({ outputs: parts.map(({ root }) => root), updates: [], isCommitted });
}

/** Ops that are never part of a prelude: new at each run, or asked to be computed again. */
const volatile: ReadonlySet<Op> = new Set(['buffer', 'argument', 'randomBits', 'barrier', 'host']);
const expensive: ReadonlySet<Op> = new Set(['reduce', 'scan', 'matmul', 'conv', 'scatterAdd']);
/** Ops that only hand values on: a part ends before them. */
const spreading: ReadonlySet<Op> = new Set<Op>([...movements, 'cast', 'cell']);

/** Nodes that depend on cells at rest and constants alone, with the elements of those cells. */
function stableNodes(program: Program, moving: ReadonlySet<Cell>): Map<Node, number> | undefined {
  if (!program.leaves.some((leaf) => isOp(leaf, 'cell') && !moving.has(cellOf(leaf)))) return undefined;
  const stable = new Map<Node, number>();
  for (const node of program.nodes) {
    if (isOp(node, 'cell') && program.isCommitted(node)) {
      if (!moving.has(cellOf(node))) stable.set(node, elementCount(node.shape));
    } else if (node.op === 'constant' || node.op === 'iota') stable.set(node, 0);
    else if (!volatile.has(node.op) && node.sources.every((source) => stable.has(source))) {
      stable.set(
        node,
        node.sources.reduce((sum, source) => sum + (stable.get(source) as number), 0),
      );
    }
  }
  return stable;
}

/** The last cell-only nodes before the rest of the program, and before movements that only spread them. */
function rootsOf(program: Program, stable: ReadonlyMap<Node, number>): Set<Node> {
  const costly = new Set<Node>();
  for (const [node, held] of stable) {
    if (held > 0 && (expensive.has(node.op) || node.sources.some((source) => costly.has(source)))) costly.add(node);
  }
  const roots = new Set<Node>();
  if (costly.size === 0) return roots;
  const visit = (node: Node): void => {
    if (!costly.has(node) || roots.has(node)) return;
    const spreads = spreading.has(node.op) || elementCount(node.shape) > 2 * (stable.get(node) as number);
    if (spreads) node.sources.forEach(visit);
    else roots.add(node);
  };
  for (const node of program.nodes) if (!stable.has(node)) node.sources.forEach(visit);
  return roots;
}

function partOf(root: Node, program: Program): PreludePart {
  const part = canonicalize({ outputs: [root], updates: [], isCommitted: program.isCommitted });
  const scalars = part.scalars.map((node) => (isOp(node, 'constant') ? node.attributes.value : Number.NaN));
  return {
    root,
    leaf: placeholder(root),
    key: `${scalars.join(',')}|${part.key}`,
    cells: part.leaves.map((leaf) => cellOf(leaf as Node<'cell'>)),
    bytes: elementCount(root.shape) * bytesPerElement(root.dtype),
  };
}

/** The program with some nodes replaced by leaves. */
function rebuild(program: Program, replaced: Map<Node, Node>): Program {
  const { isCommitted } = program;
  const now = (node: Node): Node => replaced.get(node) ?? node;
  for (const node of program.nodes) {
    if (replaced.has(node) || (isOp(node, 'cell') && isCommitted(node))) continue;
    if (!node.sources.some((source) => replaced.has(source))) continue;
    const sources = node.sources.map(now);
    replaced.set(
      node,
      node.op === 'cell' ? (sources[0] as Node) : rawNode(node.op, sources, node.attributes, node.shape, node.dtype),
    );
  }
  return canonicalize({
    outputs: program.outputs.map(now),
    updates: program.updates.map(({ cell, value }) => ({ cell, value: now(value) })),
    isCommitted,
  });
}
