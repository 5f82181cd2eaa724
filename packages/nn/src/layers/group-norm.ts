import { ones, type Tensor, zeros } from '@evenkeel/tensor';
import { Module } from '../module/module.ts';
import { Parameter } from '../module/parameter.ts';
import { requireDivides, requireSizes } from './sizes.ts';

/** Options of {@link GroupNorm} and {@link LayerNorm}. */
export interface NormOptions {
  /** Added to the variance. @defaultValue 1e-5 */
  readonly epsilon?: number;
  /** Whether to learn a scale (first 1) and a shift (first 0). @defaultValue true */
  readonly affine?: boolean;
  /** @defaultValue 'float32' */
  readonly dtype?: 'float32' | 'float64';
}

/**
 * Normalizes each sample's groups of channels to mean 0 and variance 1, then scales and shifts each channel:
 * `[N, C, ...]` to the same shape (Wu and He 2018, equation 7).
 *
 * @throws when `groups` does not divide `channels`, or x has other channels.
 *
 * @example
 * ```ts
 * new GroupNorm(4, 32).call(zeros([2, 32, 8, 8])); // [2, 32, 8, 8]
 * ```
 */
export class GroupNorm extends Module {
  readonly groups: number;
  readonly channels: number;
  readonly epsilon: number;
  readonly weight: Parameter | undefined;
  readonly bias: Parameter | undefined;

  constructor(groups: number, channels: number, options: NormOptions = {}) {
    super();
    requireSizes('GroupNorm', { groups, channels });
    requireDivides('GroupNorm', 'channels', channels, 'groups', groups);
    this.groups = groups;
    this.channels = channels;
    this.epsilon = options.epsilon ?? 1e-5;
    if (options.affine ?? true) {
      const dtype = options.dtype ?? 'float32';
      this.weight = new Parameter(ones([channels], { dtype }));
      this.bias = new Parameter(zeros([channels], { dtype }));
    }
  }

  forward(x: Tensor): Tensor {
    const [samples, channels, ...spatial] = x.shape;
    if (samples === undefined || channels !== this.channels) {
      throw new Error(`GroupNorm: wants [N, ${this.channels}, ...], got x of shape [${x.shape.join(', ')}]`);
    }
    const area = spatial.reduce((product, size) => product * size, 1);
    const grouped = x.reshape([samples, this.groups, (channels / this.groups) * area]);
    const y = standardize(grouped, [-1], this.epsilon).reshape(x.shape);
    if (this.weight === undefined || this.bias === undefined) return y;
    const perChannel = [channels, ...spatial.map(() => 1)];
    return y.mul(this.weight.value.reshape(perChannel)).add(this.bias.value.reshape(perChannel));
  }
}

/** (x - mean) / sqrt(variance + epsilon) over `axes`, with the biased variance. */
export function standardize(x: Tensor, axes: number[], epsilon: number): Tensor {
  const centered = x.sub(x.mean(axes, { keepAxes: true }));
  return centered.mul(centered.square().mean(axes, { keepAxes: true }).add(epsilon).rsqrt());
}
