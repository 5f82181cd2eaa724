import type { Node } from '../graph/node.ts';
import { movements } from '../kernel/cost.ts';
import { IndexSpace, type Linear } from '../kernel/index-math.ts';
import type { Expr } from '../kernel/ir.ts';
import { sameShape, stridesOf } from '../types/shape.ts';
import type { Cluster } from './fuse.ts';
import { Lowering, NotLocal } from './lower.ts';

/** The position of a member's value in its cluster's space: the loop indices, 0 along reduced axes. */
export function homeOf(node: Node, identity: readonly Linear[], space: IndexSpace): Linear[] {
  return identity.map((index, axis) => (node.shape[axis] === 1 ? space.literal(0) : index));
}

/** Whether two positions are the same. */
export function samePosition(a: readonly Linear[], b: readonly Linear[]): boolean {
  return a.length === b.length && a.every((index, axis) => index === b[axis]);
}

/**
 * Whether nothing lies between a node and the members it reads that might change the position: then there is no need to
 * try. False tells nothing.
 */
function readsInPlace(node: Node, members: ReadonlySet<Node>, isStored: (node: Node) => boolean): boolean {
  const seen = [new Set<Node>(), new Set<Node>()] as const;
  const visit = (current: Node, isMoved: boolean): boolean =>
    current.sources.every((source) => {
      const moves = isMoved || (current.op !== 'reduce' && !sameShape(source.shape, current.shape));
      if (members.has(source)) return !moves;
      const known = seen[moves ? 1 : 0];
      if (known.has(source) || isStored(source)) return true;
      known.add(source);
      return visit(source, moves || movements.has(source.op));
    });
  return visit(node, movements.has(node.op));
}

const atHand: Expr = { kind: 'stage', dtype: 'float32', stage: -1 };

/** Whether `node` can be computed in the cluster's loops: every member it reads is at hand at the position it is read at. */
export function isLocallyComputable(cluster: Cluster, node: Node, isStored: (node: Node) => boolean): boolean {
  const members = new Set(cluster.members);
  if (readsInPlace(node, members, isStored)) return true;
  const space = new IndexSpace();
  const identity = cluster.shape.map((size) => space.addAxis(size));
  const lowering = new Lowering({
    space,
    local(value, indices) {
      if (!members.has(value)) return undefined;
      if (samePosition(indices, homeOf(value, identity, space))) return atHand;
      throw new NotLocal(`${value.op} ${value.id} is read elsewhere`);
    },
    isStored: (value) => !members.has(value) && isStored(value),
    operand: () => 0,
    argument: () => 0,
    strides: ({ shape }) => stridesOf(shape),
  });
  try {
    if (node.op === 'reduce') lowering.value(node.sources[0] as Node, { indices: identity, guards: [] });
    else lowering.compute(node, { indices: homeOf(node, identity, space), guards: [] });
    return true;
  } catch (error) {
    if (error instanceof NotLocal) return false;
    throw error;
  }
}
