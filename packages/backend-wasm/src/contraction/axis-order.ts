import { type Expr, visitExprs } from '@evenkeel/tensor/kernel';
import { LANES } from '../indices.ts';
import type { Group } from './blocking.ts';
import { isSequence } from './sequence.ts';
import type { Site } from './site.ts';

/** The group with that axis last along which most loads find neighbours: four of them are one vector. */
export function orderAxes(probe: Site, group: Group, exprs: readonly Expr[]): Group {
  if (group.axes.length < 2) return group;
  const counts = group.axes.map((axis, i) => neighbours(probe, axis, group.sizes[i] as number, exprs));
  const best = counts.lastIndexOf(Math.max(...counts));
  if (counts[best] === 0 || best === group.axes.length - 1) return group;
  const moved = <T>(list: readonly T[]): T[] => [...list.filter((_, i) => i !== best), list[best] as T];
  return { ...group, axes: moved(group.axes), sizes: moved(group.sizes) };
}

/** Loads that are next to one another along `axis`. */
function neighbours(probe: Site, axis: number, size: number, exprs: readonly Expr[]): number {
  if (size % LANES !== 0) return 0;
  const along = { axes: [axis], sizes: [size], count: size };
  let count = 0;
  visitExprs(exprs, (expr) => {
    if (expr.kind !== 'load') return [];
    if (isSequence(probe, along, expr.index)) count++;
    return [];
  });
  return count;
}
