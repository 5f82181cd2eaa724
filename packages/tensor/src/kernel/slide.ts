import { axesOf, directFactor, IndexSpace, type Linear, type LinearGuard } from './index-math.ts';
import type { Contraction, Guard, Index } from './ir.ts';
import { visitExprs } from './walk.ts';

/** What operand `a` sees of an axis of positions and one of taps: `position * stride + tap * dilation`, one of them 1. */
export interface Slide {
  readonly stride: number;
  readonly dilation: number;
}

/**
 * How a window slides along two axes of a contraction; undefined if `a` sees them in any other way, or not at all.
 *
 * @example
 * const position: Index = { kind: 'mul', left: { kind: 'axis', axis: 0 }, by: 2 };
 * const index: Index = { kind: 'add', left: position, right: { kind: 'axis', axis: 2 } };
 * const a: Expr = { kind: 'load', dtype: 'float32', operand: 0, index, guards: [] };
 * const sizes = { batch: [], m: [10], n: [4], k: [3] };
 * const empty = { operands: [], arguments: [], stores: [] };
 * const strided: Contraction = { kind: 'contraction', dtype: 'float32', ...empty, ...sizes, a, b: a };
 * slideOf(strided, 0, 2); // { stride: 2, dilation: 1 }
 */
export function slideOf(kernel: Contraction, position: number, tap: number): Slide | undefined {
  const { batch, m, n, k } = kernel;
  const space = new IndexSpace();
  // An axis of size 1 would not be seen.
  const axes = [...batch, ...m, ...n, ...k].map((size) => space.addAxis(Math.max(2, size)));
  let steps: readonly [number, number] | undefined;
  let holds = true;
  const check = (index: Index): void => {
    const linear = linearOf(space, axes, index);
    const isDirect = linear.terms.every(({ atom }) => {
      if (atom.kind === 'axis') return true;
      const inside = axesOf(atom.base);
      if (atom.kind === 'load') for (const guard of atom.guards) axesOf(guard.index, inside);
      return !inside.has(position) && !inside.has(tap);
    });
    const [first, second] = [directFactor(linear, position), directFactor(linear, tap)];
    holds &&= isDirect;
    if (first === 0 && second === 0) return;
    steps ??= [first, second];
    holds &&= first * steps[1] === second * steps[0];
  };
  visitExprs([kernel.a], (expr) => {
    if (expr.kind === 'load' || expr.kind === 'index') check(expr.index);
    if (expr.kind === 'load' || expr.kind === 'guard') for (const { index } of expr.guards) check(index);
    return [];
  });
  if (!holds || !steps) return undefined;
  const [first, second] = steps;
  const unit = Math.min(Math.abs(first), Math.abs(second));
  if (unit === 0 || first * second < 0 || first % unit !== 0 || second % unit !== 0) return undefined;
  return { stride: Math.abs(first / unit), dilation: Math.abs(second / unit) };
}

/** An index over axes. */
function linearOf(space: IndexSpace, axes: readonly Linear[], index: Index): Linear {
  const of = (part: Index): Linear => linearOf(space, axes, part);
  switch (index.kind) {
    case 'literal':
      return space.literal(index.value);
    case 'axis':
      return axes[index.axis] as Linear;
    case 'add':
      return space.add(of(index.left), of(index.right));
    case 'mul':
      return space.mul(of(index.left), index.by);
    case 'floorDiv':
      return space.floorDiv(of(index.left), index.by);
    case 'mod':
      return space.mod(of(index.left), index.by);
    case 'load': {
      const guards = index.guards.map((guard: Guard): LinearGuard => ({ ...guard, index: of(guard.index) }));
      return space.load(index.operand, of(index.index), guards, { min: -(2 ** 31), max: 2 ** 32 });
    }
  }
}
