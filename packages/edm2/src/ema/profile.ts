/** The longest average, exponent 0: all of training weighs the same. sqrt(1 / 12) of its length. */
export const largestStd = Math.sqrt(1 / 12);

/**
 * The exponent gamma of the averaging profile p(tau) ~ tau^gamma whose standard deviation is `std` times the length of
 * training: the largest root of gamma^3 + 7 gamma^2 + (16 - s) gamma + 12 - s with s = std^-2, in closed form.
 *
 * Source: arXiv 2312.02696, section 3.1, equation 126.
 *
 * @throws RangeError unless 0 < std <= 0.2887.
 * @example
 * ```ts
 * exponentOfStd(0.1); // 6.937204
 * ```
 */
export function exponentOfStd(std: number): number {
  if (!(std > 0 && std < largestStd * (1 + 1e-9))) {
    throw new RangeError(
      `EMA length: must be above 0 and at most ${largestStd.toFixed(4)} of the training, got ${std}`,
    );
  }
  const s = std ** -2;
  const a = (s + 1 / 3) / 3;
  const q = 2 / 27 + (4 * s) / 3;
  const root = 2 * Math.sqrt(a) * Math.cos(Math.acos(-q / (2 * a ** 1.5)) / 3) - 7 / 3;
  // One Newton step on ln(std), which has no cancellation, gives back the digits that the subtraction took.
  const slope = (1 / (root + 1) - 2 / (root + 2) - 1 / (root + 3)) / 2;
  return root - Math.log(stdOfExponent(root) / std) / slope;
}

/**
 * The relative standard deviation of the profile of exponent gamma: sqrt((gamma + 1) / ((gamma + 2)^2 (gamma + 3))).
 *
 * Source: arXiv 2312.02696, equation 123.
 *
 * @example
 * ```ts
 * stdOfExponent(6.937204); // 0.1
 * ```
 */
export function stdOfExponent(exponent: number): number {
  return Math.sqrt((exponent + 1) / ((exponent + 2) ** 2 * (exponent + 3)));
}

/** One update of a power-function average. */
export interface EmaUpdate {
  /** Length of the average, relative to training: 0 < std < 0.2887. */
  readonly std: number;
  /** Images seen, those of this step included. */
  readonly images: number;
  /** Images of this step. */
  readonly batch: number;
}

/**
 * How much of the average an update keeps: (1 - batch / images)^(gamma + 1). The first step's is 0: the average starts as
 * the first step's result.
 *
 * Source: arXiv 2312.02696, equation 127.
 *
 * @throws RangeError when the length is out of range.
 *
 * @example
 * ```ts
 * emaBeta({ std: 0.05, images: 4096, batch: 2048 }); // 0.000003889, or 0.5^17.97
 * ```
 */
export function emaBeta({ std, images, batch }: EmaUpdate): number {
  return (1 - batch / images) ** (exponentOfStd(std) + 1);
}

/** An averaging profile: which length, at which time of training. */
export interface EmaProfile {
  /** Images seen (or any other measure of time). */
  readonly images: number;
  /** Relative standard deviation. */
  readonly std: number;
}

/**
 * The weight that an average gives to each moment of training, sampled at 0, 1, ... length - 1 in units of `images`, with
 * sum 1; 0 after the profile's own time. For plots.
 *
 * @throws RangeError when the length of the average is out of range.
 *
 * @example
 * ```ts
 * sampledResponse({ images: 100, std: 0.1 }, 101); // rises as tau^6.94
 * ```
 */
export function sampledResponse({ images, std }: EmaProfile, length: number): Float64Array {
  const exponent = exponentOfStd(std);
  const response = Float64Array.from({ length }, (_, time) => (time <= images ? (time / images) ** exponent : 0));
  const sum = response.reduce((total, value) => total + value, 0);
  return response.map((value) => value / sum);
}
