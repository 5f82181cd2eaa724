import { type Expr, type Linear, visitExprs } from '@evenkeel/tensor/kernel';
import { LANES } from '../indices.ts';
import type { Group } from './blocking.ts';
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
  const { batch, m, n, k } = probe.kernel;
  const indices = probe.at(LANES);
  const { space } = indices;
  [...batch, ...m, ...n, ...k].forEach((other, i) => {
    const counter = probe.indices.counter(i === axis ? other / LANES : other, probe.builder.i32(0));
    const first: Linear = i === axis ? space.mul(counter, LANES) : counter;
    indices.bind(i, (lane) => (i === axis ? space.add(first, space.literal(lane)) : first));
  });
  let count = 0;
  visitExprs(exprs, (expr) => {
    if (expr.kind !== 'load') return [];
    if (indices.steps(indices.linears(expr.index))?.every((step, lane) => step === lane)) count++;
    return [];
  });
  return count;
}
