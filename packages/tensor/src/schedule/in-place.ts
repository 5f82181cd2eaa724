import type { Node } from '../graph/node.ts';
import type { Expr, Index, Kernel, Stage, Store } from '../kernel/ir.ts';
import { visitExprs } from '../kernel/walk.ts';
import { type Emitted, emitCluster, type Surroundings, type Target } from './emit.ts';
import type { Cluster } from './fuse.ts';
import type { Replacement } from './order.ts';

/** Prints every cluster; cells are overwritten in place where all reads of the old value come before or at the same index. */
export function emitAll(
  clusters: readonly Cluster[],
  around: Surroundings,
  replacements: readonly Replacement[],
  overwrites: (kernel: Kernel) => boolean,
): Emitted[] {
  const trial = clusters.map((cluster) => emitCluster(cluster, around));
  const again = new Set<number>();
  /** Writers of targets and last readers of leaves. */
  const lastTouch = new Map<Node | Target, number>();
  trial.forEach(({ operands }, i) => {
    for (const operand of operands) lastTouch.set(operand, i);
  });
  for (const { leaf, target } of replacements) {
    const writer = lastTouch.get(target);
    const lastRead = lastTouch.get(leaf) ?? -1;
    if (writer === undefined || lastRead > writer) continue;
    if (lastRead === writer) {
      const emission = trial[writer] as Emitted;
      if (!readsOnlyWhereWritten(emission, leaf, target) || !overwrites(emission.kernel)) continue;
      again.add(writer);
    }
    target.replaces = leaf;
  }
  return trial.map((kernel, i) => (again.has(i) ? emitCluster(clusters[i] as Cluster, around) : kernel));
}

/** Whether a kernel reads `leaf` only at the index it stores to `target`, and not after that store. */
function readsOnlyWhereWritten({ kernel, operands }: Emitted, leaf: Node, target: Target): boolean {
  const read = operands.indexOf(leaf);
  const written = operands.indexOf(target);
  const isThere =
    (index: Index) =>
    (load: Load): boolean =>
      load.operand !== read || (load.index === index && load.guards.length === 0);
  if (kernel.kind === 'row') {
    const storeAt = kernel.stages.findIndex((stage) => stage.kind === 'store' && stage.store.operand === written);
    const stage = kernel.stages[storeAt] as Extract<Stage, { kind: 'store' }>;
    let runEnd = storeAt;
    const isSameRun = (other: Stage | undefined): boolean => other?.kind === 'store' && other.domain === stage.domain;
    while (isSameRun(kernel.stages[runEnd + 1])) runEnd++;
    const after = kernel.stages.slice(runEnd + 1).map(stageValue);
    if (loadsIn(after, kernel.stages).some(({ operand }) => operand === read)) return false;
    return loadsIn(kernel.stages.map(stageValue)).every(isThere(stage.store.index));
  }
  if (kernel.kind === 'contraction') {
    const { index } = kernel.stores.find(({ operand }) => operand === written) as Store;
    const inOperands = loadsIn([kernel.a, kernel.b]).some(({ operand }) => operand === read);
    return !inOperands && loadsIn(kernel.stores.map(({ value }) => value)).every(isThere(index));
  }
  return false;
}

function stageValue(stage: Stage): Expr {
  return stage.kind === 'store' ? stage.store.value : stage.value;
}

type Load = Extract<Expr, { kind: 'load' }>;

/** The loads that expressions perform, through the mapped stages that they may recompute. */
function loadsIn(roots: readonly Expr[], stages: readonly Stage[] = []): Load[] {
  const loads: Load[] = [];
  visitExprs(roots, (expr) => {
    if (expr.kind === 'load') loads.push(expr);
    const stage = expr.kind === 'stage' ? stages[expr.stage] : undefined;
    return stage?.kind === 'map' ? [stage.value] : undefined;
  });
  return loads;
}
