import type { Tensor } from '@evenkeel/tensor';
import { Module } from '../module/module.ts';

/** A module from one tensor to one tensor. */
export interface Layer extends Module {
  forward(x: Tensor): Tensor;
}

/**
 * Layers one after the other. Their names are their places: `0.weight`, `2.weight`.
 *
 * @example
 * ```ts
 * const mlp = new Sequential(new Linear(2, 64), new SiLU(), new Linear(64, 1));
 * mlp.call(zeros([8, 2])); // [8, 1]
 * ```
 */
export class Sequential extends Module {
  static override readonly names = { layers: '' };

  readonly layers: readonly Layer[];

  constructor(...layers: Layer[]) {
    super();
    this.layers = layers;
  }

  forward(x: Tensor): Tensor {
    return this.layers.reduce((value, layer) => layer.call(value), x);
  }
}
