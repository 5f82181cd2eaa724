import type { DType } from '@evenkeel/tensor';
import { type Expr, type Index, type Linear, visitExprs } from '@evenkeel/tensor/kernel';
import { type Indices, LANES } from './indices.ts';
import type { KernelSignature } from './kernel-context.ts';

/** The axis that is computed in lanes, and how many vectors are computed together. */
export interface VectorAxis {
  readonly axis: number;
  readonly units: number;
}

/** What decides along which axis elements are computed together. */
export interface Accesses {
  /** Indices of loads and stores. */
  readonly indices: readonly Index[];
  /** Whether float64 takes part: then elements are computed one by one. */
  readonly hasDouble: boolean;
}

export function accessesOf(
  { operands }: KernelSignature,
  roots: readonly Expr[],
  stores: readonly { readonly index: Index; readonly operand: number }[],
): Accesses {
  const indices: Index[] = [];
  const isDouble = (dtype: DType | undefined): boolean => dtype === 'float64';
  let hasDouble = stores.some(({ operand }) => isDouble(operands[operand]?.dtype));
  for (const root of roots) {
    visitExprs([root], (expr) => {
      if (isDouble(expr.dtype)) hasDouble = true;
      if (expr.kind !== 'load') return;
      indices.push(expr.index);
      if (isDouble(operands[expr.operand]?.dtype)) hasDouble = true;
    });
  }
  for (const { index } of stores) indices.push(index, index);
  return { indices, hasDouble };
}

/**
 * The axis along which most loads and stores are neighbours, among `candidates`, the last of equal ones; undefined where
 * none is worth it. `probe` has four lanes and no axes bound.
 */
export function chooseVectorAxis(
  { indices, hasDouble }: Accesses,
  candidates: readonly number[],
  sizes: readonly number[],
  probe: Indices,
): number | undefined {
  if (hasDouble) return undefined;
  let best: { axis: number; score: number } | undefined;
  const plain = sizes.map((size) => probe.space.addAxis(size));
  for (const axis of candidates) {
    const groups = Math.floor((sizes[axis] as number) / LANES);
    if (groups === 0) continue;
    const group = probe.space.mul(probe.space.addAxis(groups), LANES);
    sizes.forEach((_, other) => {
      probe.bind(other, (lane) => {
        return other === axis ? probe.space.add(group, probe.space.literal(lane)) : (plain[other] as Linear);
      });
    });
    let score = 0;
    for (const index of indices) {
      const steps = probe.steps(probe.linears(index));
      if (steps?.every((step, lane) => step === lane)) score += 2;
      else if (!steps?.every((step) => step === 0)) score -= 2;
    }
    if (score > 0 && (!best || score >= best.score)) best = { axis, score };
  }
  return best?.axis;
}
