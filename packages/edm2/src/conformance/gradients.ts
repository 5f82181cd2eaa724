import type { Module } from '@evenkeel/nn';
import { grad, type Tensor } from '@evenkeel/tensor';
import type { Computed } from './reference-case.ts';

/** Adds `grad/<name>` of a scalar for every parameter of `model` and every named input. */
export function addGradients(
  results: Computed,
  objective: Tensor,
  model: Module | null,
  inputs: Record<string, Tensor>,
) {
  const parameters = [...(model?.namedParameters() ?? [])].map(([name, { value }]) => [name, value] as const);
  const wrt = Object.fromEntries([...Object.entries(inputs), ...parameters]);
  for (const [name, gradient] of Object.entries(grad(objective, wrt))) results.set(`grad/${name}`, gradient);
}
