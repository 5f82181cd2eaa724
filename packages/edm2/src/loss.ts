import { type Generator, showShape, type Tensor } from '@evenkeel/tensor';
import type { Precond } from './network/precondition.ts';

/** Options of {@link Edm2Loss}. */
export interface Edm2LossOptions {
  /** Mean of ln(sigma) in training. @defaultValue -0.4 */
  readonly pMean?: number;
  /** Standard deviation of ln(sigma) in training. @defaultValue 1 */
  readonly pStd?: number;
  /** @defaultValue 0.5 */
  readonly sigmaData?: number;
}

/** Unit normals that a loss is evaluated with: fixed ones make it comparable from one time to the next. */
export interface LossNormals {
  /** z of sigma = exp(pMean + pStd z): one for each image, of any shape. */
  readonly sigma: Tensor;
  /** The noise before it is scaled by sigma, the shape of the images. */
  readonly noise: Tensor;
}

/** What {@link Edm2Loss.terms} gives. */
export interface LossTerms {
  /** lambda / exp(u) (D(y + n; sigma) - y)^2 + u, elementwise: the shape of the images. */
  readonly loss: Tensor;
  /** lambda (D(y + n; sigma) - y)^2, elementwise: how well it denoises, without what it thinks of itself. */
  readonly weighted: Tensor;
  /** Noise levels, `[N, 1, 1, 1]`. */
  readonly sigma: Tensor;
  /** u(sigma), `[N, 1, 1, 1]`. */
  readonly logvar: Tensor;
}

/**
 * The training loss of EDM2, with noise levels drawn from a log-normal distribution and the uncertainty weighting
 * that balances them: L = lambda(sigma) / exp(u) (D(y + n; sigma) - y)^2 + u,
 * lambda = (sigma^2 + sd^2) / (sigma sd)^2, elementwise. Training minimizes its sum over pixels and channels, averaged
 * over images.
 *
 * Source: arXiv 2206.00364, table 1 (lambda, noise distribution); arXiv 2312.02696, equations 14, 15, 16 and 21.
 *
 * @throws when given normals do not have the shape of the images.
 *
 * @example
 * ```ts
 * const net = new Precond({ imgResolution: 16, imgChannels: 3, labelDim: 10, modelChannels: 32, channelMult: [1, 2] });
 * const images = new Generator(1).normal([8, 3, 16, 16], { std: 0.5 });
 * const perElement = new Edm2Loss().call(net, images, oneHot(arange(8), 10), new Generator(2)); // [8, 3, 16, 16]
 * const slope = grad(perElement.sum().div(8), net.unet.outGain.value); // []
 * ```
 */
export class Edm2Loss {
  readonly pMean: number;
  readonly pStd: number;
  readonly sigmaData: number;

  constructor(options: Edm2LossOptions = {}) {
    this.pMean = options.pMean ?? -0.4;
    this.pStd = options.pStd ?? 1;
    this.sigmaData = options.sigmaData ?? 0.5;
  }

  /** The loss of each element of `images`, `[N, C, R, R]`. */
  call(net: Precond, images: Tensor, labels: Tensor | null, random: Generator | LossNormals): Tensor {
    return this.terms(net, images, labels, random).loss;
  }

  /** As {@link call}, with its parts; those that are not read are not computed. */
  terms(net: Precond, images: Tensor, labels: Tensor | null, random: Generator | LossNormals): LossTerms {
    const { sigma: z, noise } = 'noise' in random ? random : drawNormals(images, random);
    if (z.size !== images.shape[0] || noise.size !== images.size) {
      throw new Error(
        `Edm2Loss: normals for ${z.size} images of ${showShape(noise.shape)}, got images ${showShape(images.shape)}`,
      );
    }
    const sigma = z.reshape([-1, 1, 1, 1]).mul(this.pStd).add(this.pMean).exp();
    const variance = this.sigmaData ** 2;
    const weight = sigma.square().add(variance).div(sigma.mul(this.sigmaData).square());
    const { denoised, logvar } = net.call(images.add(noise.mul(sigma)), sigma, labels);
    const error = denoised.sub(images).square();
    return {
      loss: error.mul(weight.div(logvar.exp())).add(logvar),
      weighted: error.mul(weight),
      sigma,
      logvar,
    };
  }
}

/** Levels first, then noise. */
function drawNormals(images: Tensor, random: Generator): LossNormals {
  const dtype = images.dtype === 'float64' ? 'float64' : 'float32';
  const sigma = random.normal([images.shape[0] as number, 1, 1, 1], { dtype });
  return { sigma, noise: random.normal(images.shape, { dtype }) };
}
