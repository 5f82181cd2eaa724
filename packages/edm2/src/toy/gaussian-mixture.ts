import { type Generator, stack, type Tensor, tensor } from '@evenkeel/tensor';

/** One normal distribution of a mixture in the plane. */
export interface GaussianComponent {
  /** Its share; shares need not sum to 1. */
  readonly weight: number;
  readonly mean: readonly [x: number, y: number];
  /** Variance of x, covariance, variance of y. */
  readonly covariance: readonly [xx: number, xy: number, yy: number];
}

/** Real numbers that mixtures compute in. */
type RealDType = 'float32' | 'float64';

/**
 * A mixture of K normal distributions in the plane, with all that a diffusion model is to learn of it in closed form: the
 * density and its score at every noise level. Points are `[N, 2]`, noise levels numbers or `[N]`.
 *
 * @throws RangeError when there is no component, a weight is not above 0, or a covariance is not positive definite.
 *
 * @example
 * ```ts
 * const unit = new GaussianMixture([{ weight: 1, mean: [0, 0], covariance: [1, 0, 1] }]);
 * unit.score(tensor([[3, 4]]), 2); // [[-0.6, -0.8]]
 * ```
 */
export class GaussianMixture {
  readonly components: readonly GaussianComponent[];
  /** Log of each share, `[K]`. */
  readonly #logWeights: Float64Array;
  /** Shares summed up to and with each component, `[K]`. */
  readonly #cumulative: Float64Array;
  /** Cosine and sine of the first principal axis' angle, and the variances along both. */
  readonly #axes: readonly PrincipalAxes[];

  constructor(components: readonly GaussianComponent[]) {
    if (components.length === 0) throw new RangeError('GaussianMixture: got no components');
    this.components = components;
    this.#axes = components.map(({ covariance }, i) => principalAxes(covariance, i));
    const odd = components.findIndex(({ weight }) => !(weight > 0 && Number.isFinite(weight)));
    if (odd >= 0) throw new RangeError(`GaussianMixture: component ${odd} has weight ${components[odd]!.weight}`);
    const total = components.reduce((sum, { weight }) => sum + weight, 0);
    let sum = 0;
    this.#cumulative = Float64Array.from(components, ({ weight }) => (sum += weight / total));
    this.#logWeights = Float64Array.from(components, ({ weight }) => Math.log(weight / total));
  }

  /** K. */
  get count(): number {
    return this.components.length;
  }

  /** The logarithm of the density of points with normal noise of standard deviation `sigma` added, `[N]`. */
  logDensity(x: Tensor, sigma: Tensor | number = 0): Tensor {
    return this.#parts(x, sigma).logParts.logsumexp(1);
  }

  /** The gradient of {@link logDensity} with respect to the points, `[N, 2]`. */
  score(x: Tensor, sigma: Tensor | number = 0): Tensor {
    const { logParts, pull } = this.#parts(x, sigma);
    const share = logParts.softmax(1);
    return stack(
      pull.map((towards) => share.mul(towards).sum(1)),
      1,
    );
  }

  /** Points drawn from it, `[count, 2]`; normal noise of `sigma` is added by whoever wants it. */
  sample(count: number, random: Generator): Tensor {
    const cumulative = this.#constant(this.#cumulative, 'float32').reshape(1, this.count);
    // How many components end before a number that falls anywhere in their shares; rounding may leave the last one short.
    const before = random.uniform([count, 1]).greaterEqual(cumulative).cast('int32').sum(1);
    const index = before.minimum(this.count - 1);
    const pick = (value: (component: GaussianComponent, axes: PrincipalAxes) => number): Tensor =>
      this.#constant(
        this.components.map((component, i) => value(component, this.#axes[i]!)),
        'float32',
      ).gather(index);
    const [along, across] = [random.normal([count]), random.normal([count])];
    const first = pick((_, { variances }) => Math.sqrt(variances[0])).mul(along);
    const second = pick((_, { variances }) => Math.sqrt(variances[1])).mul(across);
    const [cos, sin] = [pick((_, axes) => axes.cos), pick((_, axes) => axes.sin)];
    return stack(
      [
        pick(({ mean }) => mean[0]).add(cos.mul(first).sub(sin.mul(second))),
        pick(({ mean }) => mean[1]).add(sin.mul(first).add(cos.mul(second))),
      ],
      1,
    );
  }

  /**
   * Of every point and component, `[N, K]`: the logarithm of share times density, and its gradient's x and y. Noise adds
   * to the variances along the principal axes and leaves the axes alone: no matrix has to be inverted.
   */
  #parts(x: Tensor, sigma: Tensor | number): { logParts: Tensor; pull: readonly [Tensor, Tensor] } {
    if (x.rank !== 2 || x.shape[1] !== 2) throw new Error(`GaussianMixture: points must be [N, 2], got ${x}`);
    const dtype: RealDType = x.dtype === 'float64' ? 'float64' : 'float32';
    const row = (value: (i: number) => number) =>
      this.#constant(
        this.components.map((_, i) => value(i)),
        dtype,
      ).reshape(1, this.count);
    const noise = (typeof sigma === 'number' ? tensor(sigma, { dtype }) : sigma).square();
    const noiseVariance = noise.rank === 0 ? noise : noise.reshape(-1, 1);
    const [dx, dy] = [0, 1].map((axis) =>
      row((i) => this.components[i]!.mean[axis as 0 | 1]).sub(x.slice(null, [axis, axis + 1])),
    ) as [Tensor, Tensor];
    const [cos, sin] = [row((i) => this.#axes[i]!.cos), row((i) => this.#axes[i]!.sin)];
    const variance = (axis: 0 | 1) => row((i) => this.#axes[i]!.variances[axis]).add(noiseVariance);
    const [first, second] = [variance(0), variance(1)];
    const [along, across] = [dx.mul(cos).add(dy.mul(sin)), dy.mul(cos).sub(dx.mul(sin))];
    const [pullAlong, pullAcross] = [along.div(first), across.div(second)];
    const distance = along.mul(pullAlong).add(across.mul(pullAcross));
    const logParts = row((i) => this.#logWeights[i]!)
      .sub(distance.add(first.mul(second).log()).mul(0.5))
      .sub(Math.log(2 * Math.PI));
    const pull = [pullAlong.mul(cos).sub(pullAcross.mul(sin)), pullAlong.mul(sin).add(pullAcross.mul(cos))] as const;
    return { logParts, pull };
  }

  #constant(values: ArrayLike<number>, dtype: RealDType): Tensor {
    return tensor(Float64Array.from(values), { dtype });
  }
}

/** A covariance as a rotation and two variances. */
interface PrincipalAxes {
  readonly cos: number;
  readonly sin: number;
  readonly variances: readonly [number, number];
}

function principalAxes([xx, xy, yy]: GaussianComponent['covariance'], index: number): PrincipalAxes {
  const angle = Math.atan2(2 * xy, xx - yy) / 2;
  const [middle, spread] = [(xx + yy) / 2, Math.hypot((xx - yy) / 2, xy)];
  const largest = middle + spread;
  // The smaller one by the determinant, which loses fewer digits than the difference.
  const smallest = (xx * yy - xy * xy) / largest;
  if (!(smallest > 0)) {
    throw new RangeError(
      `GaussianMixture: component ${index} has covariance [${xx}, ${xy}, ${yy}], not positive definite`,
    );
  }
  return { cos: Math.cos(angle), sin: Math.sin(angle), variances: [largest, smallest] };
}
