/** Options of {@link noiseLevels}. */
export interface NoiseLevelOptions {
  /** Steps from the highest level to 0. @defaultValue 32 */
  readonly steps?: number;
  /** Lowest level above 0. @defaultValue 0.002 */
  readonly sigmaMin?: number;
  /** Level of the first step. @defaultValue 80 */
  readonly sigmaMax?: number;
  /** How strongly steps gather at low levels. @defaultValue 7 */
  readonly rho?: number;
  /** What the levels are computed in. @defaultValue 'float32' */
  readonly dtype?: 'float32' | 'float64';
}

/**
 * The noise levels that a sampler steps through, `steps + 1` of them, the last one 0:
 * t_i = (max^(1/rho) + i / (N - 1) (min^(1/rho) - max^(1/rho)))^rho. One step goes from sigmaMax to 0.
 *
 * Source: arXiv 2206.00364, equation 5.
 *
 * @throws RangeError when a value is out of range.
 * @example
 * ```ts
 * noiseLevels({ steps: 3, sigmaMin: 0.002, sigmaMax: 80 }); // [79.99998, 2.515, 0.002, 0], in float32
 * ```
 */
export function noiseLevels(options: NoiseLevelOptions = {}): Float64Array {
  const { steps = 32, sigmaMin = 0.002, sigmaMax = 80, rho = 7, dtype = 'float32' } = options;
  if (!Number.isInteger(steps) || steps < 1)
    throw new RangeError(`noiseLevels: steps must be at least 1, got ${steps}`);
  if (!(sigmaMin > 0 && sigmaMin <= sigmaMax && sigmaMax < Number.POSITIVE_INFINITY && rho > 0)) {
    throw new RangeError(
      `noiseLevels: needs 0 < sigmaMin <= sigmaMax and rho > 0, got ${sigmaMin}, ${sigmaMax} and ${rho}`,
    );
  }
  const round = dtype === 'float32' ? Math.fround : (x: number) => x;
  const high = round(sigmaMax ** (1 / rho));
  const range = round(sigmaMin ** (1 / rho) - sigmaMax ** (1 / rho));
  return Float64Array.from({ length: steps + 1 }, (_, i) => {
    if (i === steps) return 0;
    const part = steps === 1 ? 0 : round(i / (steps - 1));
    return round(round(high + round(part * range)) ** rho);
  });
}
