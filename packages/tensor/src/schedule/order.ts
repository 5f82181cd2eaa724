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
  const after = new Map(clusters.map((cluster) => [cluster, new Set<Cluster>()]));
  const makers = new Map<Node, Cluster>();
  const readers = new Map<Node, Cluster[]>(replacements.map(({ leaf }) => [leaf, []]));
  for (const cluster of clusters) {
    for (const earlier of cluster.before) after.get(earlier)?.add(cluster);
    for (const member of cluster.members) makers.set(member, cluster);
    for (const node of cluster.reads) readers.get(node)?.push(cluster);
  }
  for (const { leaf, target } of replacements) {
    const writer = makers.get(target.node);
    if (!writer) continue;
    const later = dependentsOf(writer, after);
    for (const reader of readers.get(leaf) ?? []) {
      if (later.has(reader)) continue;
      before.get(writer)?.add(reader);
      after.get(reader)?.add(writer);
    }
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
function dependentsOf(cluster: Cluster, after: ReadonlyMap<Cluster, ReadonlySet<Cluster>>): Set<Cluster> {
  const found = new Set([cluster]);
  // A set that grows while it is walked is walked to its end.
  for (const one of found) for (const later of after.get(one) ?? []) found.add(later);
  return found;
}
