import { type Expr, type Guard, type Index, mapOperands, operandsOf, type Stage } from '@evenkeel/tensor/kernel';

/** Stages that read what is the same all along a row from stages of its own, numbered behind theirs. */
export interface RowValues {
  readonly stages: readonly Stage[];
  /** Expressions of finished reductions, in order; the first is stage `stages.length`. */
  readonly values: readonly Expr[];
}

/** Takes out of the stages what depends on finished reductions and on the row alone; elements have axes from `firstInner` on. */
export function takeOutRowValues(stages: readonly Stage[], firstInner: number): RowValues {
  const values: Expr[] = [];
  const known = new Map<Expr, Expr>();
  const ofRow = new Map<Expr, boolean>();
  const isOfRow = (expr: Expr): boolean => {
    let result = ofRow.get(expr);
    if (result === undefined) {
      result = hasNoElement(expr, stages, firstInner) && operandsOf(expr).every(isOfRow);
      ofRow.set(expr, result);
    }
    return result;
  };
  const taken = (expr: Expr): Expr => {
    let result = known.get(expr);
    if (result) return result;
    if (operandsOf(expr).length > 0 && isOfRow(expr) && readsStage(expr)) {
      result = { kind: 'stage', dtype: expr.dtype, stage: stages.length + values.push(expr) - 1 };
    } else result = mapOperands(expr, taken);
    known.set(expr, result);
    return result;
  };
  const changed = stages.map((stage): Stage => {
    if (stage.kind !== 'store') return { ...stage, value: taken(stage.value) };
    if (stage.domain === 'row') return stage;
    return { ...stage, store: { ...stage.store, value: taken(stage.store.value) } };
  });
  return { stages: changed, values };
}

function readsStage(expr: Expr): boolean {
  return expr.kind === 'stage' || operandsOf(expr).some(readsStage);
}

function hasNoElement(expr: Expr, stages: readonly Stage[], firstInner: number): boolean {
  const isOuter = (index: Index): boolean => {
    switch (index.kind) {
      case 'literal':
        return true;
      case 'axis':
        return index.axis < firstInner;
      case 'add':
        return isOuter(index.left) && isOuter(index.right);
      case 'load':
        return isOuter(index.index) && areOuter(index.guards);
      default:
        return isOuter(index.left);
    }
  };
  const areOuter = (guards: readonly Guard[]): boolean => guards.every(({ index }) => isOuter(index));
  switch (expr.kind) {
    case 'load':
      return isOuter(expr.index) && areOuter(expr.guards);
    case 'index':
      return isOuter(expr.index);
    case 'guard':
      return areOuter(expr.guards);
    case 'stage':
      return stages[expr.stage]?.kind === 'reduce';
    default:
      return true;
  }
}
