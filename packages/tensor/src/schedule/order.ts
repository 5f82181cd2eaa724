import type { Node } from '../graph/node.ts';
import type { Target } from './emit.ts';
import type { Cluster } from './fuse.ts';

/** A cell's old value and the new one that is to take its place. */
export interface Replacement {
  readonly leaf: Node;
  readonly target: Target;
}

/** Kernels in an order that respects what they read, as close to program order as possible; readers of an old cell value before its writer. */
export function orderClusters(clusters: readonly Cluster[], replacements: readonly Replacement[]): Cluster[] {
  const before = new Map(clusters.map((cluster) => [cluster, new Set(cluster.before)]));
  for (const { leaf, target } of replacements) {
    const writer = clusters.find(({ members }) => members.includes(target.node));
    if (!writer) continue;
    const later = dependentsOf(writer, before);
    for (const reader of clusters) if (reader.reads.has(leaf) && !later.has(reader)) before.get(writer)?.add(reader);
  }
  const ordered: Cluster[] = [];
  const done = new Set<Cluster>();
  const position = new Map(clusters.map((cluster, index) => [cluster, index]));
  const byPosition = (a: Cluster, b: Cluster): number => (position.get(a) as number) - (position.get(b) as number);
  const visit = (cluster: Cluster): void => {
    if (done.has(cluster)) return;
    done.add(cluster);
    [...(before.get(cluster) ?? [])].sort(byPosition).forEach(visit);
    ordered.push(cluster);
  };
  clusters.forEach(visit);
  return ordered;
}

/** `cluster` and all that must run after it. */
function dependentsOf(cluster: Cluster, before: ReadonlyMap<Cluster, ReadonlySet<Cluster>>): Set<Cluster> {
  const after = new Set([cluster]);
  // A cluster opens after what it first reads, but may be joined later: go round until nothing is added.
  for (let size = 0; size < after.size; ) {
    size = after.size;
    for (const [other, earlier] of before) {
      if (after.has(other)) continue;
      for (const one of earlier) {
        if (!after.has(one)) continue;
        after.add(other);
        break;
      }
    }
  }
  return after;
}
