import {
  Conv2d,
  type InitializationOptions,
  type LoadOptions,
  type LoadReport,
  Module,
  type StateDict,
  snakeCase,
} from '@evenkeel/nn';
import { concat, type Tensor } from '@evenkeel/tensor';
import { VaeDecoder } from './decoder.ts';
import { VaeEncoder, type VaeShape } from './encoder.ts';
import { publishedNames } from './published-names.ts';

/** Options of {@link AutoencoderKL}; left out, those of Stable Diffusion. */
export interface AutoencoderKLOptions extends Partial<VaeShape>, InitializationOptions {
  /** Groups of every group norm. @defaultValue 32 */
  readonly normGroups?: number;
}

/** Log variances beyond these are errors of the network. */
const logVarianceLimits = [-30, 20] as const;

/**
 * The variational autoencoder of Stable Diffusion (`sd-vae-ft-mse` and its relatives): RGB pictures to latents of an eighth of
 * their height and width, and back. 83,653,863 parameters under the names of the `diffusers` library; older names of the
 * attention's parameters are accepted when loading.
 *
 * Source: arXiv 2112.10752, appendix G.
 *
 * @example
 * ```ts
 * const vae = new AutoencoderKL({ blockChannels: [8, 16], normGroups: 4, layersPerBlock: 1 }); // a small one
 * const moments = vae.encode(zeros([1, 3, 16, 16])); // [1, 8, 8, 8]
 * vae.decode(moments.slice(null, [0, 4])); // [1, 3, 16, 16]
 *
 * using published = new AutoencoderKL();
 * published.parameterCount(); // 83653863
 * ```
 */
export class AutoencoderKL extends Module {
  static override readonly names = snakeCase;

  readonly encoder: VaeEncoder;
  readonly decoder: VaeDecoder;
  readonly quantConv: Conv2d;
  readonly postQuantConv: Conv2d;
  readonly shape: VaeShape;

  constructor(options: AutoencoderKLOptions = {}) {
    super();
    const { inChannels = 3, latentChannels = 4, blockChannels = [128, 256, 512, 512], layersPerBlock = 2 } = options;
    const layer = { ...options, normGroups: options.normGroups ?? 32 };
    this.shape = { inChannels, latentChannels, blockChannels, layersPerBlock };
    this.encoder = new VaeEncoder(this.shape, layer);
    this.decoder = new VaeDecoder(this.shape, layer);
    this.quantConv = new Conv2d(2 * latentChannels, 2 * latentChannels, 1, options);
    this.postQuantConv = new Conv2d(latentChannels, latentChannels, 1, options);
  }

  /** Pixels that a latent stands for, in each direction. */
  get factor(): number {
    return 2 ** (this.shape.blockChannels.length - 1);
  }

  /**
   * The distribution of latents, as EDM2 stores it: means, then standard deviations, `[N, 2 latentChannels, H / f, W / f]`.
   *
   * @param pictures `[N, inChannels, H, W]`; EDM2 gives the published weights pixels from 0 to 1.
   * @throws when height or width is no multiple of `factor`.
   */
  encode(pictures: Tensor): Tensor {
    const [, channels, height = 0, width = 0] = pictures.shape;
    const { factor } = this;
    if (channels !== this.shape.inChannels || height % factor !== 0 || width % factor !== 0) {
      throw new Error(
        `AutoencoderKL: wants [N, ${this.shape.inChannels}, H, W] with sides that are multiples of ${factor}, got shape [${pictures.shape.join(', ')}]`,
      );
    }
    const moments = this.quantConv.call(this.encoder.call(pictures));
    const { latentChannels } = this.shape;
    const mean = moments.slice(null, [0, latentChannels]);
    const logVariance = moments.slice(null, [latentChannels]).clip(...logVarianceLimits);
    return concat([mean, logVariance.mul(0.5).exp()], 1);
  }

  /** Raw latents `[N, latentChannels, h, w]` to pictures `[N, inChannels, f h, f w]`. */
  decode(latents: Tensor): Tensor {
    return this.decoder.call(this.postQuantConv.call(latents));
  }

  /** Pictures through the means of their latents, and back. */
  forward(pictures: Tensor): Tensor {
    return this.decode(this.encode(pictures).slice(null, [0, this.shape.latentChannels]));
  }

  override loadStateDict(dict: StateDict, options: LoadOptions = {}): LoadReport {
    return super.loadStateDict(publishedNames(dict), options);
  }
}
