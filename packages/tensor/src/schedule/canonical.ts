import type { HostFunction, Node } from '../graph/node.ts';
import { attributesKey, isOp } from '../graph/node.ts';

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

/**
 * Puts the graph behind some outputs and cell updates into canonical form: one linear pass, made at every
 * `realize`, so that a known structure finds its plan without being scheduled again.
 */
export function canonicalize(request: ProgramRequest): Program {
  const nodes = reachable(request);
  const position = new Map<Node, number>();
  const leaves: Node[] = [];
  const leafNumber = new Map<object | string, number>();
  const scalars: Node[] = [];
  const parts: string[] = [];

  const leafOf = (node: Node): number => {
    const identity = isOp(node, 'buffer')
      ? node.attributes.storage
      : isOp(node, 'cell')
        ? `cell ${node.attributes.cell.id}`
        : node;
    let number = leafNumber.get(identity);
    if (number === undefined) {
      number = leaves.length;
      leaves.push(node);
      leafNumber.set(identity, number);
    }
    return number;
  };

  nodes.forEach((node, index) => {
    position.set(node, index);
    let detail: string;
    if (isOp(node, 'constant')) {
      detail = node.attributes.structural
        ? `=${Object.is(node.attributes.value, -0) ? '-0' : node.attributes.value}`
        : `$${scalars.push(node)}`;
    } else if (isOp(node, 'argument')) detail = `$${scalars.push(node)}`;
    else if (isOp(node, 'buffer')) detail = `#${leafOf(node)}`;
    else if (isOp(node, 'cell')) detail = request.isCommitted(node) ? `#${leafOf(node)}` : 'assigned';
    else if (isOp(node, 'host')) detail = `${node.attributes.name}@${functionNumber(node.attributes.run)}`;
    else if (isOp(node, 'custom')) detail = '';
    else detail = compact(node.attributes);
    const sources =
      node.op === 'cell' && !detail.startsWith('a') ? '' : node.sources.map((source) => position.get(source)).join(',');
    parts.push(`${node.op} ${sources} ${detail} ${node.shape.join('x')} ${node.dtype}`);
  });
  for (const output of request.outputs) parts.push(`>${position.get(output)}`);
  for (const { cell, value } of request.updates) parts.push(`#${leafOf(cell)}:=${position.get(value)}`);
  const { outputs } = request;
  // A cell is read through one node, also where an older one stands for the same version.
  const updates = request.updates.map(({ cell, value }) => ({ cell: leaves[leafOf(cell)] as Node<'cell'>, value }));
  return {
    key: parts.join('\n'),
    nodes,
    outputs,
    updates,
    leaves,
    scalars,
    isCommitted: (node) => request.isCommitted(node),
  };
}

function reachable({ outputs, updates, isCommitted }: ProgramRequest): Node[] {
  const seen = new Set<Node>();
  const stack = [...outputs, ...updates.map(({ value }) => value)];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    if (!isOp(node, 'cell') || !isCommitted(node)) stack.push(...node.sources);
  }
  // Sources are always made before their users, so the order of making is topological, and it is program order.
  return [...seen].sort((a, b) => a.id - b.id);
}

const emptyAttributes = '{}';

function compact(attributes: object): string {
  const text = attributesKey(attributes);
  return text === emptyAttributes ? '' : text;
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
