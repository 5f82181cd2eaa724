import type { DType } from '@evenkeel/tensor';
import { type Expr, type Index, type Linear, visitExprs } from '@evenkeel/tensor/kernel';
import { type Indices, LANES } from './indices.ts';
import type { KernelSignature } from './kernel-context.ts';

/** The axis that is computed in lanes, elements of a vector, and how many vectors are computed together. */
export interface VectorAxis {
  readonly axis: number;
  readonly lanes: number;
  readonly units: number;
}

/** What decides along which axis elements are computed together. */
export interface Accesses {
  /** Indices of loads and stores. */
  readonly indices: readonly Index[];
  /** Whether float64 takes part: then vectors have two elements, else four. */
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

export const lanesFor = ({ hasDouble }: Accesses): number => (hasDouble ? 2 : LANES);

/**
 * The axis along which most loads and stores are neighbours, among `candidates`, the last of equal ones; undefined where
 * none is worth it. `probe` has a vector's lanes and no axes bound.
 */
export function chooseVectorAxis(
  { indices }: Accesses,
  candidates: readonly number[],
  sizes: readonly number[],
  probe: Indices,
): number | undefined {
  let best: { axis: number; score: number } | undefined;
  const plain = sizes.map((size) => probe.space.addAxis(size));
  plain.forEach((linear, axis) => {
    probe.bind(axis, () => linear);
  });
  for (const axis of candidates) {
    const groups = Math.floor((sizes[axis] as number) / probe.lanes);
    if (groups === 0) continue;
    const group = probe.space.mul(probe.space.addAxis(groups), probe.lanes);
    probe.bind(axis, (lane) => probe.space.add(group, probe.space.literal(lane)));
    let score = 0;
    for (const index of indices) {
      const steps = stepsOf(probe, index);
      if (steps?.every((step, lane) => step === lane)) score += 2;
      else if (!steps?.every((step) => step === 0)) score -= 2;
    }
    probe.bind(axis, () => plain[axis] as Linear);
    if (score > 0 && (!best || score >= best.score)) best = { axis, score };
  }
  return best?.axis;
}

function stepsOf(probe: Indices, index: Index): number[] | undefined {
  const stride = probe.stride(index);
  if (stride !== undefined) return Array.from({ length: probe.lanes }, (_, lane) => lane * stride);
  return probe.steps(probe.linears(index));
}
