import { MPFourier, MPLinear } from '@evenkeel/mp-nn';
import { Module, snakeCase } from '@evenkeel/nn';
import { isFloat, showShape, Tensor, tensor, zeros } from '@evenkeel/tensor';
import { UNet, type UNetOptions } from './unet.ts';

/** Options of {@link Precond}; those of the network go to it. */
export interface PrecondOptions extends UNetOptions {
  /** Standard deviation of the training data. @defaultValue 0.5 */
  readonly sigmaData?: number;
  /** Fourier features of the uncertainty head u(sigma). @defaultValue 128 */
  readonly logvarChannels?: number;
  /**
   * Whether activations of the U-Net are float16. Weights, embedding, preconditioning and u(sigma) stay float32, and sums
   * accumulate in it; a gradient's small values need a loss scale. @defaultValue false
   */
  readonly fp16?: boolean;
}

/** What {@link Precond} gives; nothing of it is computed before it is read. */
export interface Denoised {
  /** D(x; sigma), the shape of x. */
  readonly denoised: Tensor;
  /** u(sigma), the log variance of the loss at this noise level: `[N, 1, 1, 1]`, or `[1, 1, 1, 1]` for one sigma. */
  readonly logvar: Tensor;
}

/**
 * The denoiser D of EDM2: the U-Net F in the preconditioning that gives it unit-variance inputs and targets,
 * and the head u(sigma) that learns how uncertain it is at each noise level.
 *
 * D(x; s) = cSkip x + cOut F(cIn x, ln(s) / 4), cSkip = sd^2 / (s^2 + sd^2), cOut = s sd / sqrt(s^2 + sd^2),
 * cIn = 1 / sqrt(s^2 + sd^2), sd = sigmaData.
 *
 * `x` is `[N, imgChannels, R, R]`; `sigma` > 0 is a number or a scalar for the whole batch, or has one element for each
 * image; `labels` are `[N, labelDim]` or `[1, labelDim]`, null for a row of zeros; an unconditional network ignores them.
 * Parameters are named as in the published weights.
 *
 * Source: arXiv 2206.00364, table 1 (preconditioning); arXiv 2312.02696, appendix B.2 (uncertainty).
 *
 * @throws when shapes do not fit the options.
 * @example
 * ```ts
 * const net = new Precond({ imgResolution: 16, imgChannels: 3, labelDim: 10, modelChannels: 32, channelMult: [1, 2] });
 * const noisy = new Generator(1).normal([8, 3, 16, 16]);
 * net.denoise(noisy, 0.5, oneHot(arange(8), 10)); // [8, 3, 16, 16]
 * ```
 */
export class Precond extends Module {
  static override readonly names = snakeCase;

  /** What the network was made with: enough to make it again. */
  readonly #options: PrecondOptions;
  readonly sigmaData: number;
  readonly unet: UNet;
  readonly logvarFourier: MPFourier;
  readonly logvarLinear: MPLinear;

  constructor(options: PrecondOptions) {
    super();
    const { sigmaData = 0.5, logvarChannels = 128, generator, dtype = 'float32', fp16 = false } = options;
    const init = generator === undefined ? { dtype } : { dtype, generator };
    if (!(sigmaData > 0)) throw new Error(`Precond: sigmaData must be above 0, got ${sigmaData}`);
    if (fp16 && dtype !== 'float32') throw new Error(`Precond: fp16 is for float32 weights, got dtype '${dtype}'`);
    this.#options = options;
    this.sigmaData = sigmaData;
    this.unet = new UNet(options);
    this.logvarFourier = new MPFourier(logvarChannels, init);
    this.logvarLinear = new MPLinear(logvarChannels, 1, init);
  }

  get options(): PrecondOptions {
    return this.#options;
  }

  /** D(x; sigma) alone, the shape of x: what samplers call. */
  denoise(x: Tensor, sigma: number | Tensor, labels: Tensor | null = null): Tensor {
    return (this as Precond).call(x, sigma, labels).denoised;
  }

  forward(x: Tensor, sigma: number | Tensor, labels: Tensor | null = null): Denoised {
    const { imgResolution, imgChannels, dtype = 'float32', fp16 = false } = this.#options;
    const image = [imgChannels, imgResolution, imgResolution];
    if (x.rank !== 4 || !isFloat(x.dtype) || image.some((size, axis) => size !== x.shape[axis + 1])) {
      throw new Error(
        `Precond: wants real numbers [N, ${image.join(', ')}], got ${x}. Make the network with other options, or encode the images`,
      );
    }
    if (typeof sigma === 'number' && !(sigma > 0)) {
      throw new Error(`Precond: sigma must be above 0, got ${sigma}. At noise level 0 the image is x itself`);
    }
    // An array, since what depends on weights and plain numbers alone is kept from run to run: a sampler passes many.
    const levels = typeof sigma === 'number' ? tensor([sigma], { dtype }) : sigma.cast(dtype);
    const s = levels.reshape([-1, 1, 1, 1]);
    const count = s.shape[0] as number;
    if (count !== 1 && count !== x.shape[0]) {
      throw new Error(`Precond: ${count} sigmas for ${x.shape[0]} images. Give one, or one for each image`);
    }
    const images = x.cast(dtype);
    const variance = s.square().add(this.sigmaData ** 2);
    const noiseLabel = s.reshape([-1]).log().div(4);

    const cSkip = variance.reciprocal().mul(this.sigmaData ** 2);
    const cOut = s.mul(this.sigmaData).div(variance.sqrt());
    const cIn = variance.rsqrt();
    const input = images.mul(cIn).cast(fp16 ? 'float16' : dtype);
    const output = this.unet.call(input, noiseLabel, this.#labelsFor(x, labels, dtype));
    return {
      denoised: images.mul(cSkip).add(output.cast(dtype).mul(cOut)),
      logvar: this.logvarLinear.call(this.logvarFourier.call(noiseLabel)).reshape([-1, 1, 1, 1]),
    };
  }

  #labelsFor(x: Tensor, labels: Tensor | null, dtype: 'float32' | 'float64'): Tensor | null {
    const { labelDim } = this.#options;
    if (labelDim === 0) return null;
    if (labels === null) return zeros([1, labelDim], { dtype });
    const [rows, columns] = labels instanceof Tensor && labels.rank === 2 ? labels.shape : [];
    if (columns === labelDim && (rows === 1 || rows === x.shape[0])) return labels.cast(dtype);
    const got = labels instanceof Tensor ? showShape(labels.shape) : typeof labels;
    throw new Error(`Precond: wants labels [${x.shape[0]}, ${labelDim}], got ${got}. Use oneHot for class numbers`);
  }
}
