import { MPLinear, mpSilu } from '@evenkeel/mp-nn';
import { type InitializationOptions, Module, Parameter } from '@evenkeel/nn';
import { concat, grad, onesLike, type Tensor, tensor } from '@evenkeel/tensor';

/** Options of {@link ToyModel}. */
export interface ToyModelOptions extends InitializationOptions {
  /** Hidden layers. @defaultValue 4 */
  readonly layers?: number;
  /** Features of each. @defaultValue 64 */
  readonly dim?: number;
  /** Standard deviation of the data. @defaultValue 0.5 */
  readonly sigmaData?: number;
}

/**
 * A network that learns the log of a density in the plane at every noise level, up to a constant:
 *
 * `logp(x; sigma) = gain mean(y^2) / sigma - |x|^2 / (2 (sigmaData^2 + sigma^2))`
 *
 * with y the features of a magnitude-preserving network of (x / sqrt(sigmaData^2 + sigma^2), ln(sigma) / 4, 1). Before
 * training, gain is 0 and it is that of a normal distribution. Its score is the gradient, taken in the graph, so that
 * training differentiates twice. Points are `[N, 2]`, noise levels numbers or `[N]`.
 *
 * Source: arXiv 2406.02507, appendix C.
 *
 * @throws when a size is not a whole number of at least 1.
 *
 * @example
 * ```ts
 * const net = new ToyModel({ layers: 2, dim: 16 });
 * net.score(tensor([[0.5, 1]]), 0.5); // [[-1, -2]], of a normal distribution as yet
 * ```
 */
export class ToyModel extends Module {
  /** Times what is learned; first 0. */
  readonly gain: Parameter;
  /** Positions of activations stay empty, so that names are the published ones: `layers.0.weight`, `layers.2.weight`. */
  readonly layers: Readonly<Record<string, MPLinear>>;
  readonly options: ToyModelOptions;
  readonly sigmaData: number;

  constructor(options: ToyModelOptions = {}) {
    super();
    const { layers = 4, dim = 64, sigmaData = 0.5, ...initialization } = options;
    if (!Number.isInteger(layers) || layers < 1)
      throw new RangeError(`ToyModel: layers must be at least 1, got ${layers}`);
    this.options = { layers, dim, sigmaData };
    this.sigmaData = sigmaData;
    this.gain = new Parameter(tensor(0, { dtype: initialization.dtype ?? 'float32' }));
    this.layers = Object.fromEntries(
      Array.from({ length: layers + 1 }, (_, i) => [2 * i, new MPLinear(i === 0 ? 4 : dim, dim, initialization)]),
    );
  }

  /** The log density up to a constant, `[N]`. */
  forward(x: Tensor, sigma: Tensor | number): Tensor {
    const level = levelsOf(x, sigma);
    const scaled = x.div(
      level
        .square()
        .add(this.sigmaData ** 2)
        .sqrt(),
    );
    let features = concat([scaled, level.log().div(4), onesLike(level)], 1);
    for (const [place, layer] of Object.entries(this.layers)) {
      features = layer.call(place === '0' ? features : mpSilu(features));
    }
    const learned = features.square().mean(1).mul(this.gain.value).div(level.reshape(-1));
    return learned.sub(scaled.square().sum(1).mul(0.5));
  }

  /** The gradient of the log density with respect to the points, `[N, 2]`. */
  score(x: Tensor, sigma: Tensor | number): Tensor {
    const logDensity = (this as ToyModel).call(x, sigma);
    return grad(logDensity.sum(), x);
  }

  /** The denoised points, `x + sigma^2 score`, `[N, 2]`: what `sampleHeun` wants. */
  denoise(x: Tensor, sigma: number): Tensor {
    return x.add(this.score(x, sigma).mul(sigma ** 2));
  }
}

/** One noise level a point, `[N, 1]`. */
function levelsOf(x: Tensor, sigma: Tensor | number): Tensor {
  if (x.rank !== 2 || x.shape[1] !== 2) throw new Error(`ToyModel: points must be [N, 2], got ${x}`);
  const level = typeof sigma === 'number' ? tensor(sigma, { dtype: x.dtype }) : sigma;
  return level.rank === 0 ? level.expand([x.shape[0] as number, 1]) : level.reshape(-1, 1);
}
