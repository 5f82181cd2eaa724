import type { Node } from '../graph/node.ts';
import { isOp } from '../graph/node.ts';
import { constantValue } from '../graph/simplify.ts';
import { elementCost } from '../kernel/cost.ts';
import { IndexSpace, type Linear } from '../kernel/index-math.ts';
import type { Expr, Kernel, Operand, RowKernel, ScatterAdd, Stage, Store } from '../kernel/ir.ts';
import type { DType } from '../types/dtype.ts';
import { sameShape } from '../types/shape.ts';
import { emitContraction } from './contraction.ts';
import type { Cluster } from './fuse.ts';
import { homeOf, samePosition } from './local.ts';
import { mergeAxes, numberAxes, runSize } from './loop-axes.ts';
import { Lowering, NotLocal } from './lower.ts';
import { orderOf } from './placement.ts';

/** A buffer that a node's value is written to; a node has several where several outputs want it. */
export interface Target {
  readonly node: Node;
  /** Strides of the buffer, by the node's axes. */
  readonly strides: readonly number[];
  /** The cell leaf that is overwritten in place, if any. */
  replaces?: Node;
}

/** What emission needs to know of the plan around a kernel. */
export interface Surroundings {
  isStored(node: Node): boolean;
  targets(node: Node): readonly Target[];
  /** Strides, by axis, of the buffer that a stored node is read from. */
  strides(node: Node): readonly number[];
}

/** A kernel with what its operands and arguments stand for. */
export interface Emitted {
  readonly kernel: Kernel;
  /** A node that is read, or a target that is written (and read, where it replaces). */
  readonly operands: readonly (Node | Target)[];
  readonly scalars: readonly Node[];
}

/** Numbers a kernel's buffers and scalars as they are met. */
export class KernelBindings {
  readonly operands: Operand[] = [];
  readonly bound: (Node | Target)[] = [];
  readonly arguments: DType[] = [];
  readonly scalars: Node[] = [];
  readonly #numbers = new Map<Node | Target, number>();
  /** Cells that this kernel overwrites in place: reads go to the target's operand. */
  readonly #replaced = new Map<Node, Target>();

  constructor(targets: readonly Target[]) {
    for (const target of targets) if (target.replaces) this.#replaced.set(target.replaces, target);
  }

  read(node: Node): number {
    const target = this.#replaced.get(node);
    if (target) {
      const operand = this.write(target);
      this.operands[operand] = { dtype: node.dtype, access: 'inout' };
      return operand;
    }
    return this.#bind(node, { dtype: node.dtype, access: 'in' });
  }

  write(target: Target): number {
    return this.#bind(target, { dtype: target.node.dtype, access: 'out' });
  }

  argument(node: Node): number {
    const known = this.scalars.indexOf(node);
    if (known >= 0) return known;
    this.arguments.push(node.dtype);
    return this.scalars.push(node) - 1;
  }

  #bind(what: Node | Target, operand: Operand): number {
    let number = this.#numbers.get(what);
    if (number === undefined) {
      number = this.operands.push(operand) - 1;
      this.bound.push(what);
      this.#numbers.set(what, number);
    }
    return number;
  }
}

/** One lowering of a cluster, with its members' values as they are computed. */
export class ClusterLowering {
  readonly space: IndexSpace;
  readonly identity: readonly Linear[];
  readonly bindings: KernelBindings;
  readonly lowering: Lowering;
  readonly #around: Surroundings;
  readonly #values = new Map<Node, Expr>();

  constructor(
    cluster: Cluster,
    space: IndexSpace,
    identity: readonly Linear[],
    around: Surroundings,
    bindings?: KernelBindings,
  ) {
    this.space = space;
    this.identity = identity;
    this.#around = around;
    this.bindings = bindings ?? new KernelBindings(cluster.members.flatMap((member) => around.targets(member)));
    const members = new Set(cluster.members);
    this.lowering = new Lowering({
      space,
      local: (node, indices) => {
        const value = this.#values.get(node);
        if (!value && members.has(node)) throw new NotLocal(`${node.op} ${node.id} is not computed yet`);
        if (value && !samePosition(indices, this.home(node)))
          throw new NotLocal(`${node.op} ${node.id} is read elsewhere`);
        return value;
      },
      isStored: (node) => around.isStored(node),
      operand: (node) => this.bindings.read(node),
      argument: (node) => this.bindings.argument(node),
      strides: (node) => around.strides(node),
    });
  }

  /** A member's place in the loops. */
  home(node: Node): Linear[] {
    return homeOf(node, this.identity, this.space);
  }

  /** Makes a member's value known to those after it. */
  settle(node: Node, value: Expr): void {
    this.#values.set(node, value);
  }

  compute(node: Node): Expr {
    return this.lowering.compute(node, { indices: this.home(node), guards: [] });
  }

  /** Stores of a member's value to each of its targets. */
  stores(node: Node, value: Expr): Store[] {
    return this.#around.targets(node).map((target) => ({
      operand: this.bindings.write(target),
      index: this.space.emit(this.space.dot(this.home(node), target.strides)),
      value,
    }));
  }
}

/** Prints a cluster as a kernel. */
export function emitCluster(cluster: Cluster, around: Surroundings): Emitted {
  switch (cluster.kind) {
    case 'contraction':
      return emitContraction(cluster, around);
    case 'scatterAdd':
      return emitScatterAdd(cluster, around);
    case 'host':
      return emitHost(cluster, around);
    case 'row':
      return emitRow(cluster, around);
  }
}

function emitRow(cluster: Cluster, around: Surroundings): Emitted {
  const { shape, reduced } = cluster;
  const space = new IndexSpace();
  const identity = shape.map((size) => space.addAxis(size));
  const stored = cluster.members.find(
    (member) => around.targets(member).length > 0 && member.shape.length === shape.length,
  ) as Node;
  const order = orderOf(around.strides(stored));
  const outerAxes = order.filter((axis) => !reduced?.includes(axis));
  const innerAxes = order.filter((axis) => reduced?.includes(axis));
  space.defer();
  const lowered = new ClusterLowering(cluster, space, identity, around);
  const stages = rowStages(cluster, lowered);
  const outer = mergeAxes(space, outerAxes);
  const inner = mergeAxes(space, innerAxes);
  space.retarget(numberAxes(space, [outer, inner]));
  const sizes = (runs: readonly number[][]): number[] => runs.map((run) => runSize(space, run));
  const kernel: RowKernel = {
    kind: 'row',
    operands: lowered.bindings.operands,
    arguments: lowered.bindings.arguments,
    outer: sizes(outer),
    inner: reduced && inner.length === 0 ? [1] : sizes(inner),
    stages,
  };
  return { kernel, operands: lowered.bindings.bound, scalars: lowered.bindings.scalars };
}

function rowStages(cluster: Cluster, lowered: ClusterLowering): Stage[] {
  const stages: Stage[] = [];
  const { shape, reduced } = cluster;
  const laterPass = passesAfter(cluster);
  let stores: Stage[] = [];
  const keepStage = (stage: Stage, dtype: DType): Expr => {
    stages.push(...stores);
    stores = [];
    return { kind: 'stage', dtype, stage: stages.push(stage) - 1 };
  };
  for (const member of cluster.members) {
    const isElement = !!reduced && sameShape(member.shape, shape);
    let value: Expr;
    if (isOp(member, 'reduce') || isOp(member, 'scan')) {
      const operand = lowered.lowering.value(member.sources[0] as Node, { indices: lowered.identity, guards: [] });
      const stage: Stage = isOp(member, 'reduce')
        ? { kind: 'reduce', op: member.attributes.kind, value: operand }
        : { kind: 'scan', op: member.attributes.kind, reverse: member.attributes.reverse, value: operand };
      value = keepStage(stage, member.dtype);
    } else {
      const constant = constantValue(member);
      value =
        constant === undefined ? lowered.compute(member) : { kind: 'literal', dtype: member.dtype, value: constant };
      if (isElement && laterPass.has(member) && costOf(member) > 8)
        value = keepStage({ kind: 'map', value }, member.dtype);
    }
    lowered.settle(member, value);
    for (const store of lowered.stores(member, value)) {
      stores.push({ kind: 'store', domain: isElement && !isOp(member, 'reduce') ? 'element' : 'row', store });
    }
  }
  return [...stages, ...stores];
}

/** Members that are followed by a reduction, and so may be needed in more than one pass over the row. */
function passesAfter(cluster: Cluster): Set<Node> {
  const result = new Set<Node>();
  let seen = false;
  for (const member of [...cluster.members].reverse()) {
    if (seen) result.add(member);
    if (member.op === 'reduce' || member.op === 'scan') seen = true;
  }
  return result;
}

/** Cost of a member's own expression, down to what is certainly kept. */
function costOf(node: Node, depth = 0): number {
  if (depth > 4 || node.op === 'reduce') return 0;
  return node.sources.reduce((sum, source) => sum + costOf(source, depth + 1), elementCost(node.op));
}

function emitScatterAdd(cluster: Cluster, around: Surroundings): Emitted {
  const node = cluster.members[0] as Node<'scatterAdd'>;
  const { axis } = node.attributes;
  const [base, indices, updates] = node.sources as [Node, Node, Node];
  const bindings = new KernelBindings([]);
  const lower = (sizes: readonly number[]): ClusterLowering => {
    const space = new IndexSpace();
    const identity = sizes.map((size) => space.addAxis(size));
    const outer = sizes.map((_, i) => i).filter((i) => i !== axis);
    space.retarget(sizes.map((_, i) => ({ axis: i === axis ? outer.length : outer.indexOf(i), carries: true })));
    return new ClusterLowering({ ...cluster, members: [] }, space, identity, around, bindings);
  };
  const whole = lower(base.shape);
  const moved = lower(updates.shape);
  const at = (lowered: ClusterLowering) => ({ indices: lowered.identity, guards: [] });
  const initial = whole.lowering.value(base, at(whole));
  const update = moved.lowering.value(updates, at(moved));
  const where = moved.lowering.loadIndex(
    indices,
    { indices: [moved.identity[axis] as Linear], guards: [] },
    base.shape[axis] as number,
  );
  const [store, ...copies] = whole.stores(node, initial) as [Store, ...Store[]];
  if (copies.length > 0) throw new Error('scatterAdd: one result was asked for under several names');
  const kernel: ScatterAdd = {
    kind: 'scatterAdd',
    operands: bindings.operands,
    arguments: bindings.arguments,
    outer: base.shape.filter((_, i) => i !== axis),
    size: base.shape[axis] as number,
    updates: updates.shape[axis] as number,
    target: { operand: store.operand, index: store.index },
    initial,
    position: moved.space.emit(where),
    update,
  };
  return { kernel, operands: bindings.bound, scalars: bindings.scalars };
}

function emitHost(cluster: Cluster, around: Surroundings): Emitted {
  const node = cluster.members[0] as Node<'host'>;
  const targets = around.targets(node);
  const operands: Operand[] = [
    ...node.sources.map(({ dtype }): Operand => ({ dtype, access: 'in' })),
    ...targets.map((): Operand => ({ dtype: node.dtype, access: 'out' })),
  ];
  const { name, run } = node.attributes;
  return {
    kernel: { kind: 'host', operands, arguments: [], name, run },
    operands: [...node.sources, ...targets],
    scalars: [],
  };
}
