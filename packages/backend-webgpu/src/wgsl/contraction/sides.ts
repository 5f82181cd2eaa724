import { type Contraction, type Expr, type Index, visitExprs } from '@evenkeel/tensor/kernel';
import { count } from '../axes.ts';
import { innermost, stepOf } from '../steps.ts';

export type Side = 'a' | 'b';

/** Where the axes of a side's rows (m) or columns (n) are among those of the kernel, and how many of these there are. */
export interface SideAxes {
  readonly first: number;
  readonly sizes: readonly number[];
  readonly extent: number;
}

export function sideAxes({ batch, m, n }: Contraction, side: Side): SideAxes {
  const sizes = side === 'a' ? m : n;
  return { first: side === 'a' ? batch.length : batch.length + m.length, sizes, extent: count(sizes) };
}

export function termAxes({ batch, m, n, k }: Contraction): SideAxes {
  return { first: batch.length + m.length + n.length, sizes: k, extent: count(k) };
}

/** How far the innermost of some axes moves in the operand's main load. */
export function mainStep(expr: Expr, { first, sizes }: SideAxes): number {
  let index: Index | undefined;
  visitExprs([expr], (inner) => {
    if (inner.kind === 'load') index ??= inner.index;
    return undefined;
  });
  const axis = innermost(first, sizes);
  return index === undefined || axis === undefined ? 0 : stepOf(index, axis);
}

export function innermostSize({ first, sizes }: SideAxes): number {
  const axis = innermost(first, sizes);
  return axis === undefined ? 1 : (sizes[axis - first] as number);
}
