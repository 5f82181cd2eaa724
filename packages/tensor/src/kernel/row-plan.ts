import { RANDOM } from './cost.ts';
import type { Expr, Index, RowKernel, Stage, Store } from './ir.ts';
import { visitExprs } from './walk.ts';

/** One run over a row's elements: the stages it computes, in order. Maps are listed where their values are kept. */
export interface Pass {
  readonly sinks: readonly number[];
  readonly reverse: boolean;
}

/** How a row's stages are laid out in passes over the row. */
export interface RowPlan {
  readonly passes: readonly Pass[];
  /** Written once a row, after all passes. */
  readonly rowStores: readonly Store[];
  /** Stages whose elements a later pass reads from scratch; maps that are cheap are computed again instead. */
  readonly kept: ReadonlySet<number>;
}

/** Above this estimate of time in additions a map is kept rather than computed again. */
const WORTH_KEEPING = 8;

const costly: Partial<Record<string, number>> = {
  exp: 8,
  sigmoid: 10,
  log: 15,
  sin: 15,
  cos: 15,
  tanh: 20,
  erf: 30,
  pow: 30,
  div: 3,
  sqrt: 3,
  mod: 5,
  floorDiv: 5,
};

/**
 * Stages in the fewest passes: a reduction is known to the pass after its own, a scan from the end runs alone.
 *
 * @example
 * const index: Index = { kind: 'axis', axis: 1 };
 * const x: Expr = { kind: 'load', dtype: 'float32', operand: 0, index, guards: [] };
 * const total: Expr = { kind: 'stage', dtype: 'float32', stage: 0 };
 * const share: Expr = { kind: 'binary', dtype: 'float32', op: 'div', left: x, right: total };
 * const stages: Stage[] = [
 *   { kind: 'reduce', op: 'sum', value: x },
 *   { kind: 'store', domain: 'element', store: { operand: 1, index, value: share } },
 * ];
 * const { passes } = planRow({ kind: 'row', operands: [], arguments: [], outer: [1], inner: [100], stages });
 * passes; // [{ sinks: [0] }, { sinks: [1] }], since a share needs the whole sum
 */
export function planRow({ stages }: RowKernel): RowPlan {
  const direct = stages.map(stagesOf);
  const ready: number[] = [];
  const level: number[] = [];
  stages.forEach((stage, i) => {
    const own = Math.max(0, ...(direct[i] as number[]).map((s) => ready[s] as number));
    level[i] = own;
    ready[i] = stage.kind === 'reduce' || (stage.kind === 'scan' && stage.reverse) ? own + 1 : own;
  });
  delayInPlaceStores(stages, level);

  const sinks: Pass[] = [];
  for (let pass = 0; pass <= Math.max(-1, ...level); pass++) {
    const here = stages.flatMap((stage, i) => (level[i] === pass && isSink(stage) ? [i] : []));
    const isReverse = (i: number): boolean => stages[i]?.kind === 'scan' && (stages[i] as { reverse: boolean }).reverse;
    const forward = here.filter((i) => !isReverse(i));
    if (forward.length > 0) sinks.push({ sinks: forward, reverse: false });
    for (const scan of here.filter(isReverse)) sinks.push({ sinks: [scan], reverse: true });
  }

  const users = passesThatUse(stages, direct, sinks);
  const home = (stage: number): number => sinks.findIndex((pass) => pass.sinks.includes(stage));
  const kept = new Set<number>();
  stages.forEach((stage, i) => {
    const passes = users[i] as Set<number>;
    if (stage.kind === 'scan' && [...passes].some((pass) => pass !== home(i))) kept.add(i);
    if (stage.kind === 'map' && passes.size > 1 && costOf(stage.value) >= WORTH_KEEPING) kept.add(i);
  });
  // A kept map is computed in the first pass that uses it, before what uses it there.
  const passes = sinks.map(({ sinks: own, reverse }, pass) => {
    const maps = [...kept].filter((i) => stages[i]?.kind === 'map' && Math.min(...(users[i] as Set<number>)) === pass);
    return { sinks: [...maps, ...own].sort((a, b) => a - b), reverse };
  });
  const rowStores = stages.flatMap((stage) => (stage.kind === 'store' && stage.domain === 'row' ? [stage.store] : []));
  return { passes, rowStores, kept };
}

function isSink(stage: Stage): boolean {
  return stage.kind === 'reduce' || stage.kind === 'scan' || (stage.kind === 'store' && stage.domain === 'element');
}

/** For each stage the passes that need its value, also through maps that are computed again. */
function passesThatUse(stages: readonly Stage[], direct: readonly number[][], passes: readonly Pass[]): Set<number>[] {
  const users = stages.map(() => new Set<number>());
  const visit = (stage: number, pass: number): void => {
    for (const source of direct[stage] as number[]) {
      if (users[source]?.has(pass)) continue;
      users[source]?.add(pass);
      if (stages[source]?.kind === 'map') visit(source, pass);
    }
  };
  passes.forEach(({ sinks }, pass) => {
    for (const sink of sinks) visit(sink, pass);
  });
  return users;
}

/** A store into a buffer that is also read waits for the last pass that reads it. */
function delayInPlaceStores(stages: readonly Stage[], level: number[]): void {
  // All in one pass: nothing comes later.
  if (level.every((pass) => pass === 0)) return;
  const reads = stages.map((stage) => operandsReadBy(exprOf(stage)));
  // Maps are computed again wherever they are used, so their reads belong to their users too.
  stages.forEach((stage, i) => {
    for (const source of stagesOf(stage)) {
      if (stages[source]?.kind === 'map') for (const operand of reads[source] as Set<number>) reads[i]?.add(operand);
    }
  });
  for (let changed = true; changed; ) {
    changed = false;
    stages.forEach((stage, i) => {
      if (stage.kind !== 'store' || stage.domain !== 'element') return;
      stages.forEach((_, other) => {
        if (!reads[other]?.has(stage.store.operand) || (level[other] as number) <= (level[i] as number)) return;
        level[i] = level[other] as number;
        changed = true;
      });
    });
  }
}

function exprOf(stage: Stage): Expr {
  return stage.kind === 'store' ? stage.store.value : stage.value;
}

function stagesOf(stage: Stage): number[] {
  const found = new Set<number>();
  visitExprs([exprOf(stage)], (expr) => {
    if (expr.kind === 'stage') found.add(expr.stage);
  });
  return [...found];
}

function operandsReadBy(expr: Expr): Set<number> {
  const found = new Set<number>();
  const visitIndex = (index: Index): void => {
    if (index.kind === 'load') found.add(index.operand);
    if (index.kind === 'load') visitIndex(index.index);
    if (index.kind === 'add') visitIndex(index.right);
    if ('left' in index) visitIndex(index.left);
  };
  visitExprs([expr], (inner) => {
    if (inner.kind === 'load') found.add(inner.operand);
    if (inner.kind === 'load' || inner.kind === 'index') visitIndex(inner.index);
    if (inner.kind === 'load' || inner.kind === 'guard') for (const guard of inner.guards) visitIndex(guard.index);
  });
  return found;
}

function costOf(expr: Expr): number {
  let cost = 0;
  visitExprs([expr], (inner) => {
    if (inner.kind === 'random') cost += RANDOM;
    else cost += 'op' in inner ? (costly[inner.op] ?? 1) : inner.kind === 'load' ? 1 : 0;
  });
  return cost;
}
