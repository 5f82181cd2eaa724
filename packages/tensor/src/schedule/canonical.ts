import type { HostFunction, Node } from '../graph/node.ts';
import { isOp } from '../graph/node.ts';
import { KeyWriter, writeStructure } from '../graph/structure-key.ts';
import { programOrder } from './program-order.ts';

/** A graph to be computed, in canonical order: what the plan cache looks at. */
export interface Program {
  /** Equal keys mean equal structure: everything but the values of leaves, arguments and non-structural constants. */
  readonly key: string;
  /** All nodes, in the order in which they were made (sources first). */
  readonly nodes: readonly Node[];
  readonly outputs: readonly Node[];
  readonly updates: readonly Update[];
  /** Distinct buffers and cells that are read or written, in order of first appearance. */
  readonly leaves: readonly Node[];
  /** Scalars whose values are launch arguments, in order of first appearance. */
  readonly scalars: readonly Node[];
  /** Whether a cell node is read from its buffer; others stand for the value assigned. */
  readonly isCommitted: (node: Node<'cell'>) => boolean;
}

/** `cell`, the leaf of a committed version, gets the value of `value`. */
export interface Update {
  readonly cell: Node<'cell'>;
  readonly value: Node;
}

export interface ProgramRequest {
  readonly outputs: readonly Node[];
  readonly updates: readonly Update[];
  /** May throw, for versions that are gone. */
  isCommitted(node: Node<'cell'>): boolean;
}

/** How a node that stands for something beyond the graph is told apart. */
const marks = { scalar: 1, structural: 2, leaf: 3, assigned: 4, output: 5, update: 6 } as const;

/**
 * Puts the graph behind some outputs and cell updates into canonical form: one linear pass, made at every
 * `realize`, so that a known structure finds its plan without being scheduled again.
 */
export function canonicalize(request: ProgramRequest): Program {
  const { outputs } = request;
  const roots = [...outputs, ...request.updates.map(({ value }) => value)];
  const { nodes, placeOf } = programOrder(roots, (node) => isOp(node, 'cell') && request.isCommitted(node));
  const leaves: Node[] = [];
  const leafNumbers = new Map<object | number, number>();
  const scalars: Node[] = [];
  const key = new KeyWriter();

  /** Distinct storages and cells are counted in order of appearance; cells by id, which handles of all versions share. */
  const leafOf = (node: Node<'buffer'> | Node<'cell'>): number => {
    const identity = isOp(node, 'buffer') ? node.attributes.storage : (node as Node<'cell'>).attributes.cell.id;
    let number = leafNumbers.get(identity);
    if (number === undefined) {
      number = leaves.length;
      leaves.push(node);
      leafNumbers.set(identity, number);
    }
    return number;
  };

  const writeSources = (sources: readonly Node[]): void => {
    key.whole(sources.length);
    for (let i = 0; i < sources.length; i++) key.whole(placeOf(sources[i] as Node));
  };

  for (let index = 0; index < nodes.length; index++) {
    const node = nodes[index] as Node;
    writeStructure(key, node);
    if (isOp(node, 'constant') && node.attributes.structural) {
      key.whole(marks.structural);
      key.real(node.attributes.value);
    } else if (isOp(node, 'constant') || isOp(node, 'argument')) {
      key.whole(marks.scalar);
      scalars.push(node);
    } else if (isOp(node, 'buffer') || (isOp(node, 'cell') && request.isCommitted(node))) {
      key.whole(marks.leaf);
      key.whole(leafOf(node));
    } else {
      if (isOp(node, 'cell')) key.whole(marks.assigned);
      if (isOp(node, 'host')) {
        key.text(node.attributes.name);
        key.whole(functionNumber(node.attributes.run));
      }
      writeSources(node.sources);
    }
  }
  for (const output of outputs) {
    key.whole(marks.output);
    key.whole(placeOf(output));
  }
  // A cell is read through one node, also where an older one stands for the same version.
  const updates = request.updates.map(({ cell, value }) => {
    const leaf = leafOf(cell);
    key.whole(marks.update);
    key.whole(leaf);
    key.whole(placeOf(value));
    return { cell: leaves[leaf] as Node<'cell'>, value };
  });
  return {
    key: key.take(),
    nodes,
    outputs,
    updates,
    leaves,
    scalars,
    isCommitted: (node) => request.isCommitted(node),
  };
}

const functionNumbers = new WeakMap<HostFunction, number>();
let functionCount = 0;

function functionNumber(run: HostFunction): number {
  let number = functionNumbers.get(run);
  if (number === undefined) {
    number = functionCount++;
    functionNumbers.set(run, number);
  }
  return number;
}
