import type { Module } from '@evenkeel/nn';

/** A layer whose weights are kept on a sphere; layers of your own join {@link project} by having the method. */
export interface Projectable {
  /** Assigns the weights' projection to them. Called outside of any loss. */
  project(): void;
}

/**
 * Forced weight normalization: assigns `normalize(weight)` to every magnitude-preserving layer below `model`.
 *
 * Call it before each training forward, gradient accumulation rounds included, and once before the first snapshot.
 * Gradients are then taken at the projected value; weights at rest, after the optimizer's step, are slightly off the
 * sphere, and so are the averages of them. Evaluation needs no projection: layers normalize what they use anyway. It
 * only assigns, so it becomes part of the training step's one plan.
 *
 * Source: arXiv 2312.02696, section 2.3, equation 66.
 *
 * @example
 * ```ts
 * const model = new Sequential(new MPLinear(2, 64), new MPLinear(64, 1));
 * const optimizer = new Adam(model);
 * for (let step = 0; step < 3; step++) {
 *   project(model);
 *   const loss = model.call(ones([8, 2])).square().mean();
 *   optimizer.step(loss);
 *   await commit(loss);
 * }
 * ```
 */
export function project(model: Module): void {
  for (const [, module] of model.namedModules()) {
    if (isProjectable(module)) module.project();
  }
}

function isProjectable(module: Module): module is Module & Projectable {
  return typeof (module as Partial<Projectable>).project === 'function';
}
