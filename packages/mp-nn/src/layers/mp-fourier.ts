import { generatorOf, Module, Persistent, requireSizes } from '@evenkeel/nn';
import type { Generator, Tensor } from '@evenkeel/tensor';

/** Options of {@link MPFourier}. */
export interface MPFourierOptions {
  /** Standard deviation of the frequencies in cycles per unit of input. @defaultValue 1 */
  readonly bandwidth?: number;
  /** Source of frequencies and phases. @defaultValue the one that layers share */
  readonly generator?: Generator;
}

/**
 * Magnitude-preserving Fourier features: `y[n, c] = sqrt(2) cos(x[n] freqs[c] + phases[c])`, `[N]` to `[N, C]`.
 *
 * `freqs` = 2 pi bandwidth N(0, 1) and `phases` = 2 pi U[0, 1), both `[C]`, are drawn once, saved and never trained.
 * Evaluated in float32 (float64 for float64 input) and returned in x's dtype. RMS 1 for any input; gradients grow by
 * `2 pi bandwidth sqrt(C)`.
 *
 * Source: arXiv 2312.02696, equations 36 and 75.
 *
 * @throws when `channels` is not a whole number of at least 1.
 * @example
 * ```ts
 * const features = new MPFourier(64);
 * features.call(tensor([0.1, 2, 40]).log().div(4)); // [3, 64]
 * ```
 */
export class MPFourier extends Module {
  readonly freqs: Persistent;
  readonly phases: Persistent;

  constructor(channels: number, options: MPFourierOptions = {}) {
    super();
    requireSizes('MPFourier', { channels });
    const { bandwidth = 1 } = options;
    const generator = generatorOf(options);
    this.freqs = new Persistent(generator.normal([channels]).mul(2 * Math.PI * bandwidth));
    this.phases = new Persistent(generator.uniform([channels]).mul(2 * Math.PI));
  }

  forward(x: Tensor): Tensor {
    const wide = x.dtype === 'float64' ? x : x.cast('float32');
    const angles = wide.unsqueeze(-1).mul(this.freqs.value.cast(wide.dtype)).add(this.phases.value.cast(wide.dtype));
    return angles.cos().mul(Math.SQRT2).cast(x.dtype);
  }
}
