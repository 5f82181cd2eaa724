import type { Linear } from '../kernel/index-math.ts';
import type { Expr, Index } from '../kernel/ir.ts';
import { visitExprs } from '../kernel/walk.ts';

/** How far an axis moves in memory; large where it does not appear, so that it becomes an outer loop. */
export function stepOf(address: Linear | undefined, axis: number): number {
  const term = address?.terms.find(({ atom }) => atom.kind === 'axis' && atom.axis === axis);
  return Math.abs(term?.factor ?? 0) || Number.MAX_SAFE_INTEGER;
}

/** The load that decides in which order memory is walked: the one with most axes. */
export function walkedLoad(expr: Expr): Index | undefined {
  let main: Index | undefined;
  let most = -1;
  visitExprs([expr], (inner) => {
    if (inner.kind !== 'load') return;
    const { size } = axesIn(inner.index);
    if (size > most) [main, most] = [inner.index, size];
  });
  return main;
}

function axesIn(index: Index, into = new Set<number>()): Set<number> {
  if (index.kind === 'axis') into.add(index.axis);
  if (index.kind === 'load') axesIn(index.index, into);
  if (index.kind === 'add') axesIn(index.right, into);
  if ('left' in index) axesIn(index.left, into);
  return into;
}
