import type { Tensor } from '@evenkeel/tensor';
import { Module } from '../module/module.ts';
import { Parameter } from '../module/parameter.ts';
import { fanInUniform, type InitializationOptions } from './initialization.ts';
import { requireSizes } from './sizes.ts';

/** Options of {@link Linear}. */
export interface LinearOptions extends InitializationOptions {
  /** Whether to add a bias. @defaultValue true */
  readonly bias?: boolean;
}

/**
 * y = x W^T + b over the last axis: `[..., in]` to `[..., out]`.
 * `weight` is `[out, in]`, `bias` `[out]`, both first U(-1/sqrt(in), 1/sqrt(in)).
 *
 * @throws when the last axis of x is not `in`.
 *
 * @example
 * ```ts
 * const layer = new Linear(2, 64);
 * layer.call(zeros([8, 2])); // [8, 64]
 * ```
 */
export class Linear extends Module {
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;

  constructor(inFeatures: number, outFeatures: number, options: LinearOptions = {}) {
    super();
    requireSizes('Linear', { inFeatures, outFeatures });
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    this.weight = new Parameter(fanInUniform([outFeatures, inFeatures], inFeatures, options));
    if (options.bias ?? true) this.bias = new Parameter(fanInUniform([outFeatures], inFeatures, options));
  }

  forward(x: Tensor): Tensor {
    if (x.shape.at(-1) !== this.inFeatures) {
      throw new Error(
        `Linear: wants a last axis of ${this.inFeatures} features, got x of shape [${x.shape.join(', ')}]. Reshape x, or make the layer with inFeatures ${x.shape.at(-1)}`,
      );
    }
    const y = x.matmul(this.weight.value.transpose());
    return this.bias === undefined ? y : y.add(this.bias.value);
  }
}
