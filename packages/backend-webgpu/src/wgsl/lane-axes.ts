import { type Expr, type RowKernel, visitExprs } from '@evenkeel/tensor/kernel';
import { count } from './axes.ts';
import type { DeviceTraits } from './device-traits.ts';
import type { Axes } from './lanes.ts';
import type { RowMode } from './row-mode.ts';
import { innermost, stepOf } from './steps.ts';

/** Operations up to which four elements at once fit a thread's registers; beyond, arithmetic takes longer than memory. */
const MOST_OPERATIONS = 100;
/** The same where each operation takes its time to compile. */
const FEW_OPERATIONS = 8;

/** The axes along which a thread takes four neighbours at a time, if that helps. */
export function laneAxesOf(
  { outer, inner, stages }: RowKernel,
  mode: RowMode,
  { compilesSlowly }: DeviceTraits,
): Axes | undefined {
  // Where a thread walks a row alone, rows are its lanes only if there is nothing to walk.
  const isElementwise = inner.length === 0 && stages.every(({ kind }) => kind === 'map' || kind === 'store');
  if (stages.some(({ kind }) => kind === 'scan') || mode.kind === 'band') return undefined;
  if (mode.kind === 'thread' && !isElementwise) return undefined;
  if ((inner.length === 0) !== isElementwise) return undefined;
  const axes = isElementwise ? { first: 0, sizes: outer } : { first: outer.length, sizes: inner };
  const axis = innermost(axes.first, axes.sizes);
  if (axis === undefined || count(axes.sizes) % 4 !== 0) return undefined;
  const most = compilesSlowly ? FEW_OPERATIONS : MOST_OPERATIONS;
  let operations = 0;
  let moves = 0;
  visitExprs(
    stages.map((stage): Expr => (stage.kind === 'store' ? stage.store.value : stage.value)),
    (expr) => {
      if (expr.kind === 'random') operations += MOST_OPERATIONS;
      if ('op' in expr) operations++;
      if (expr.kind === 'load' && Math.abs(stepOf(expr.index, axis)) === 1) moves++;
      return undefined;
    },
  );
  for (const stage of stages) if (stage.kind === 'store' && stepOf(stage.store.index, axis) === 1) moves++;
  return moves > 0 && operations <= most ? axes : undefined;
}
