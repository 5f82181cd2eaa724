import type { Node } from '../graph/node.ts';

/** Numbers below the newest node's within which the nodes of one step lie, nearly always. */
const window = 2 ** 16;

/** Of each number in the window: the last walk that met it, and the place of its node in the order. */
const metIn = new Int32Array(window);
const placeOf = new Int32Array(window);
let walks = 0;

/** Nodes in the order in which they were made. */
export interface ProgramOrder {
  readonly nodes: readonly Node[];
  /** The place of one of them; may be asked until the next walk. */
  placeOf(node: Node): number;
}

/**
 * All nodes behind `roots` in the order in which they were made; `isLeaf` cuts below a node. Sources are always made
 * before their users, so the order of making is topological, and it is program order.
 *
 * Made of every graph at every step: nodes are known by their numbers, which in a step are nearly consecutive, rather than
 * by a map, and put in order by counting. Older ones and cells, whose versions share a number, are few.
 */
export function programOrder(roots: readonly Node[], isLeaf: (node: Node) => boolean): ProgramOrder {
  walks = walks === 2 ** 31 - 1 ? 1 : walks + 1;
  const walk = walks;
  let newest = 0;
  for (const { id } of roots) newest = Math.max(newest, id);
  const base = newest - window + 1;
  let oldest = newest;
  const counted: Node[] = [];
  const others = new Map<Node, number>();
  const stack: Node[] = [];
  const isCounted = (node: Node): boolean => node.id >= base && node.op !== 'cell';
  const visit = (node: Node): void => {
    if (isCounted(node)) {
      if (metIn[node.id - base] === walk) return;
      metIn[node.id - base] = walk;
      if (node.id < oldest) oldest = node.id;
      counted.push(node);
    } else {
      if (others.has(node)) return;
      others.set(node, 0);
    }
    stack.push(node);
  };
  roots.forEach(visit);
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (isLeaf(node)) continue;
    for (let i = 0; i < node.sources.length; i++) visit(node.sources[i] as Node);
  }

  const nodes = new Array<Node>(counted.length + others.size);
  const sorted = [...others.keys()].sort((a, b) => a.id - b.id);
  let place = 0;
  let next = 0;
  const placeOthersBefore = (id: number): void => {
    for (let other = sorted[next]; other !== undefined && other.id < id; other = sorted[++next]) {
      others.set(other, place);
      nodes[place++] = other;
    }
  };
  for (let i = oldest - base; i < window; i++) {
    if (metIn[i] !== walk) continue;
    placeOthersBefore(base + i);
    placeOf[i] = place++;
  }
  placeOthersBefore(Number.POSITIVE_INFINITY);
  for (const node of counted) nodes[placeOf[node.id - base] as number] = node;
  return {
    nodes,
    placeOf: (node) => (isCounted(node) ? (placeOf[node.id - base] as number) : (others.get(node) as number)),
  };
}
