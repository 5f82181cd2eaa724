import { type InitializationOptions, Module, Parameter, requireSizes, standardNormal } from '@evenkeel/nn';
import { showShape, type Tensor } from '@evenkeel/tensor';
import { normalize } from '../functions/normalize.ts';
import type { Projectable } from './project.ts';
import { scaledWeight } from './scaled-weight.ts';

/**
 * Magnitude-preserving fully connected layer without bias: `y = x W^T gain / sqrt(in)`, W the weight with each row
 * normalized. `[..., in]` to `[..., out]`.
 *
 * `weight` is `[out, in]`, first N(0, 1). The forward pass never changes it: call {@link project} before each training
 * forward for forced weight normalization. White unit input gives RMS `gain`, gradients scale by
 * `gain sqrt(out / in)`.
 *
 * Source: arXiv 2312.02696, equation 47; forced weight normalization, equation 66.
 *
 * @throws when a size is not a whole number of at least 1, the last axis of `x` is not `in`.
 * @example
 * ```ts
 * const layer = new MPLinear(64, 128);
 * layer.call(new Generator(1).normal([8, 64])); // [8, 128], RMS close to 1
 * ```
 */
export class MPLinear extends Module implements Projectable {
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly weight: Parameter;

  constructor(inFeatures: number, outFeatures: number, options: InitializationOptions = {}) {
    super();
    requireSizes('MPLinear', { inFeatures, outFeatures });
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    this.weight = new Parameter(standardNormal([outFeatures, inFeatures], options));
  }

  /** `gain` is a number or a scalar tensor, such as a Parameter's value. */
  forward(x: Tensor, gain: number | Tensor = 1): Tensor {
    if (x.shape.at(-1) !== this.inFeatures) {
      throw new Error(
        `MPLinear: wants a last axis of ${this.inFeatures} features, got ${showShape(x.shape)}. Reshape the input, or make the layer with inFeatures ${x.shape.at(-1)}`,
      );
    }
    return x.matmul(scaledWeight(this.weight.value, gain).cast(x.dtype).transpose());
  }

  /** Forced weight normalization: the stored rows become unit vectors (RMS 1), outside of any gradient. */
  project(): void {
    this.weight.assign(normalize(this.weight.value));
  }
}
