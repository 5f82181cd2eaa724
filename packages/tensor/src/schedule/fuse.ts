import type { Node } from '../graph/node.ts';
import { isOp } from '../graph/node.ts';
import { constantValue } from '../graph/simplify.ts';
import { elementCost, movements } from '../kernel/cost.ts';
import { elementCount, type Shape, sameShape } from '../types/shape.ts';
import { isLocallyComputable } from './local.ts';

/** Nodes that one kernel computes, over one iteration space. */
export interface Cluster {
  readonly kind: 'row' | 'contraction' | 'scatterAdd' | 'host';
  /** The space: every member has this shape, or this shape with the reduced axes at size 1. */
  readonly shape: Shape;
  /** Axes that reductions or scans of the cluster run over; undefined while it is elementwise. */
  reduced: readonly number[] | undefined;
  /** In program order; the first of a contraction, scatterAdd or host cluster is the node it exists for. */
  readonly members: Node[];
  /** Leaves and other clusters' nodes whose values the members read. */
  readonly reads: Set<Node>;
  /** Clusters that must run before. */
  readonly before: Set<Cluster>;
}

/** What fusion decided. */
export interface Fusion {
  readonly clusters: readonly Cluster[];
  /** Nodes that are written to a buffer. */
  readonly stored: ReadonlySet<Node>;
}

/** Ops with kernels of their own: their values exist only where a kernel made them. */
const anchored = new Set<string>(['reduce', 'scan', 'matmul', 'conv', 'scatterAdd', 'host']);

/** Recomputing more than this (in additions) costs more than a store and a load. */
const recomputeLimit = 3;
/** Longest expression that is kept in one piece. */
const inlineLimit = 300;
const mostMembers = 48;
/** Most operations one after the other in a kernel: compilers of its code nest expressions as deep. */
const mostDepth = 500;

export function isLeaf(node: Node): boolean {
  return node.op === 'buffer' || node.op === 'cell';
}

/**
 * Decides which nodes are computed together. Nodes that need (or deserve) a place of their own are taken in program
 * order; each joins the kernel of something it reads, or of a sibling that reads the same, if the iteration spaces
 * agree, every shared value is at hand at the same position, and no cycle of kernels arises; else it opens a kernel.
 */
export function fuse(nodes: readonly Node[], required: ReadonlySet<Node>, mostOperands: number): Fusion {
  const { roots, inlineDepth } = chooseRoots(nodes, required, mostOperands);
  const depths = new Map<Node, number>();
  const reads = new Map<Node, Reads>();
  const clusterOf = new Map<Node, Cluster>();
  const readers = new Map<Node, Cluster[]>();
  const clusters: Cluster[] = [];

  for (const node of nodes) {
    if (!roots.has(node)) continue;
    const read = readsOf(node, roots);
    reads.set(node, read);
    const depthIn = (cluster: Cluster): number => {
      let below = 0;
      for (const value of read.values)
        if (clusterOf.get(value) === cluster) below = Math.max(below, depths.get(value) as number);
      return below + (inlineDepth.get(node) as number);
    };
    const joined = candidatesFor(node, read, clusterOf, readers).find(
      (cluster) => depthIn(cluster) <= mostDepth && canJoin(cluster, node, read, { roots, clusterOf, mostOperands }),
    );
    const cluster = joined ?? openCluster(node);
    depths.set(node, depthIn(cluster));
    if (!joined) clusters.push(cluster);
    else if (node.op === 'reduce' && isOp(node, 'reduce')) cluster.reduced ??= node.attributes.axes;
    cluster.members.push(node);
    clusterOf.set(node, cluster);
    for (const other of [...read.values, ...read.after]) {
      const producer = clusterOf.get(other);
      if (producer && producer !== cluster) cluster.before.add(producer);
    }
    for (const value of read.values) {
      if (clusterOf.get(value) !== cluster) cluster.reads.add(value);
      const list = readers.get(value) ?? [];
      if (!list.includes(cluster)) list.push(cluster);
      readers.set(value, list);
    }
  }

  const stored = new Set<Node>(required);
  for (const [node, { values }] of reads) {
    for (const value of values) if (!isLeaf(value) && clusterOf.get(value) !== clusterOf.get(node)) stored.add(value);
  }
  for (const cluster of clusters) {
    // Work that cannot keep its own result at hand writes it.
    const [first] = cluster.members as [Node];
    if (cluster.kind === 'scatterAdd' || cluster.kind === 'host') stored.add(first);
  }
  return { clusters, stored };
}

interface Reads {
  /** Roots and leaves whose values the node's expression reaches. */
  readonly values: ReadonlySet<Node>;
  /** Roots that must be computed before, though their values are not read (barriers). */
  readonly after: ReadonlySet<Node>;
}

function readsOf(node: Node, roots: ReadonlySet<Node>): Reads {
  const values = new Set<Node>();
  const after = new Set<Node>();
  const seen = new Set<Node>();
  const visit = (current: Node, into: Set<Node>): void => {
    if (roots.has(current) || isLeaf(current)) {
      into.add(current);
      return;
    }
    if (constantValue(current) !== undefined || (seen.has(current) && into === values)) return;
    if (into === values) seen.add(current);
    visitSources(current, into);
  };
  const visitSources = (current: Node, into: Set<Node>): void => {
    current.sources.forEach((source, i) => {
      visit(source, current.op === 'barrier' && i > 0 ? after : into);
    });
  };
  if (!isLeaf(node)) visitSources(node, values);
  return { values, after };
}

/** The nodes that are computed once and kept at hand (or stored), rather than wherever they are used. */
function chooseRoots(
  nodes: readonly Node[],
  required: ReadonlySet<Node>,
  mostOperands: number,
): { roots: Set<Node>; inlineDepth: Map<Node, number> } {
  const roots = new Set<Node>(required);
  const users = effectiveUsers(nodes);
  const cost = new Map<Node, number>();
  const inlineDepth = new Map<Node, number>();
  const loads = new Map<Node, ReadonlySet<Node>>();
  for (const node of nodes) {
    if (isLeaf(node)) continue;
    const isConstant = constantValue(node) !== undefined;
    const inlined = node.sources.filter((source) => !roots.has(source) && !isLeaf(source));
    const total = inlined.reduce((sum, source) => sum + (cost.get(source) ?? 0), elementCost(node.op));
    cost.set(node, isConstant ? 0 : total);
    const below = inlined.reduce((most, source) => Math.max(most, inlineDepth.get(source) ?? 0), 0);
    inlineDepth.set(node, below + (movements.has(node.op) ? 0 : 1));
    const reach = reachOf(node, roots, loads);
    loads.set(node, reach);
    if (isConstant) continue;
    if (isOp(node, 'conv') || node.op === 'matmul')
      for (const source of node.sources) keepPrologue(node, source, roots, cost);
    if (node.op === 'gather' || node.op === 'scatterAdd') keep(node.sources[1] as Node, roots);
    if (node.op === 'host') for (const source of node.sources) keep(source, roots);
    if (roots.has(node)) continue;
    const isCompute =
      !movements.has(node.op) && elementCost(node.op) > 0 && node.op !== 'constant' && node.op !== 'argument';
    if (anchored.has(node.op) || total > inlineLimit) roots.add(node);
    else if (isCompute && isWorthKeeping(node, total, users.get(node) ?? new Set())) roots.add(node);
    else if (reach.size > mostOperands - 2) {
      // Too many buffers for one kernel: the widest sources become values of their own.
      const widest = [...inlined].sort((a, b) => (loads.get(b)?.size ?? 0) - (loads.get(a)?.size ?? 0));
      for (const source of widest.filter((s) => (loads.get(s)?.size ?? 0) > 1)) {
        roots.add(source);
        if (1 + reach.size - (loads.get(source)?.size ?? 0) <= mostOperands - 2) break;
      }
    }
  }
  return { roots, inlineDepth };
}

/** Leaves and roots that a node's expression loads. Chains share their sets: never written to. */
function reachOf(
  { sources }: Node,
  roots: ReadonlySet<Node>,
  loads: ReadonlyMap<Node, ReadonlySet<Node>>,
): ReadonlySet<Node> {
  const [first = none, ...others] = sources
    .map((source) => (roots.has(source) || isLeaf(source) ? new Set([source]) : (loads.get(source) ?? none)))
    .filter((reach) => reach.size > 0);
  if (others.every((other) => other === first)) return first;
  const all = new Set(first);
  for (const other of others) for (const node of other) all.add(node);
  return all;
}

const none: ReadonlySet<Node> = new Set();

function keep(node: Node, roots: Set<Node>): void {
  if (!isLeaf(node)) roots.add(node);
}

/** Who computes with a node's value, seen through movements. */
function effectiveUsers(nodes: readonly Node[]): Map<Node, Set<Node>> {
  const users = new Map<Node, Set<Node>>();
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i] as Node;
    for (const source of node.sources) {
      const list = users.get(source) ?? new Set<Node>();
      users.set(source, list);
      if (movements.has(node.op) && !(node.op === 'barrier' && source !== node.sources[0])) {
        for (const user of users.get(node) ?? []) list.add(user);
      } else list.add(node);
    }
  }
  return users;
}

function isWorthKeeping(node: Node, total: number, users: ReadonlySet<Node>): boolean {
  if (total < 2) return false;
  if (users.size > 1 && total >= recomputeLimit) return true;
  // Computed once a row, used at every element.
  const size = elementCount(node.shape);
  for (const user of users) {
    if (!anchored.has(user.op) && elementCount(user.shape) >= 4 * size) return true;
  }
  return false;
}

/** A contraction reads its operands many times: what is costly is computed before it. */
function keepPrologue(contraction: Node, operand: Node, roots: Set<Node>, cost: ReadonlyMap<Node, number>): void {
  const window = isOp(contraction, 'conv') ? elementCount((contraction.sources[1] as Node).shape.slice(2)) : 1;
  const limit = window > 1 ? 0 : recomputeLimit;
  const visit = (node: Node): void => {
    if (roots.has(node) || isLeaf(node) || (cost.get(node) ?? 0) <= limit) return;
    if (movements.has(node.op)) visit(node.sources[0] as Node);
    else roots.add(node);
  };
  visit(operand);
}

function openCluster(node: Node): Cluster {
  const isContraction = node.op === 'matmul' || node.op === 'conv';
  const kind = isContraction ? 'contraction' : node.op === 'scatterAdd' || node.op === 'host' ? node.op : 'row';
  const space = isOp(node, 'reduce') ? (node.sources[0] as Node).shape : node.shape;
  const reduced = isOp(node, 'reduce') ? node.attributes.axes : isOp(node, 'scan') ? [node.attributes.axis] : undefined;
  return { kind, shape: space, reduced, members: [], reads: new Set(), before: new Set() };
}

/** Clusters worth trying, nearest first: those that make what the node reads, then those that read the same. */
function candidatesFor(
  node: Node,
  { values }: Reads,
  clusterOf: ReadonlyMap<Node, Cluster>,
  readers: ReadonlyMap<Node, Cluster[]>,
): Cluster[] {
  if (anchored.has(node.op) && node.op !== 'reduce') return [];
  const found = new Set<Cluster>();
  for (const value of [...values].reverse()) {
    const cluster = clusterOf.get(value);
    if (cluster) found.add(cluster);
  }
  for (const value of [...values].reverse()) {
    if (elementCount(value.shape) <= 1) continue;
    for (const cluster of readers.get(value) ?? []) if (cluster.kind === 'row') found.add(cluster);
  }
  return [...found];
}

interface FusionState {
  readonly roots: ReadonlySet<Node>;
  readonly clusterOf: ReadonlyMap<Node, Cluster>;
  readonly mostOperands: number;
}

function canJoin(cluster: Cluster, node: Node, read: Reads, state: FusionState): boolean {
  if (cluster.kind === 'scatterAdd' || cluster.kind === 'host' || cluster.members.length >= mostMembers) return false;
  if (!fitsSpace(cluster, node)) return false;
  if (operandBound(cluster, read, state.clusterOf) > state.mostOperands) return false;
  const producers: Cluster[] = [];
  for (const values of [read.values, read.after]) {
    for (const other of values) {
      const producer = state.clusterOf.get(other);
      if (producer === cluster && values === read.after) return false;
      if (producer && producer !== cluster) producers.push(producer);
    }
  }
  if (runsAfter(producers, cluster)) return false;
  return isLocallyComputable(cluster, node, (value) => isLeaf(value) || state.roots.has(value));
}

function fitsSpace(cluster: Cluster, node: Node): boolean {
  const { shape, reduced } = cluster;
  if (isOp(node, 'reduce')) {
    const { axes } = node.attributes;
    if (cluster.kind === 'contraction' || !sameShape((node.sources[0] as Node).shape, shape)) return false;
    if (reduced) return axes.length === reduced.length && axes.every((axis) => reduced.includes(axis));
    return isWideEnough(shape, axes);
  }
  if (sameShape(node.shape, shape)) return !reduced || isWideEnough(shape, reduced);
  return (
    !!reduced &&
    node.shape.length === shape.length &&
    node.shape.every((size, axis) => size === (reduced.includes(axis) ? 1 : shape[axis]))
  );
}

/** Whether work at every element may run row by row without starving parallel machines. */
function isWideEnough(shape: Shape, reduced: readonly number[]): boolean {
  const inner = reduced.reduce((product, axis) => product * (shape[axis] as number), 1);
  const total = elementCount(shape);
  return total <= 4096 || (inner <= 65536 && total / Math.max(1, inner) >= 16);
}

/** At most this many buffers: everything read from elsewhere, and every member (as if all were stored). */
function operandBound(cluster: Cluster, read: Reads, clusterOf: ReadonlyMap<Node, Cluster>): number {
  let loaded = cluster.reads.size;
  for (const value of read.values) if (!cluster.reads.has(value) && clusterOf.get(value) !== cluster) loaded++;
  return loaded + cluster.members.length + 1;
}

/** Whether one of `clusters` runs after `target`. */
function runsAfter(clusters: readonly Cluster[], target: Cluster): boolean {
  const found = new Set(clusters);
  // A set that grows while it is walked is walked to its end.
  for (const cluster of found) {
    if (cluster.before.has(target)) return true;
    for (const earlier of cluster.before) found.add(earlier);
  }
  return false;
}
