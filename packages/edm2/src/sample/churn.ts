import type { Tensor } from '@evenkeel/tensor';

/** Where normals come from: a `Generator`, or one for each image of a batch. */
export interface NormalSource {
  normal(shape: readonly number[], options: { readonly dtype: 'float32' | 'float64' }): Tensor;
}

/** New noise mixed in while sampling (Schurn, Smin, Smax and Snoise of the paper). */
export interface Churn {
  /** How much, over all steps. */
  readonly amount: number;
  /** Only at noise levels of at least this. @defaultValue 0 */
  readonly sigmaMin?: number;
  /** Only at noise levels of at most this. @defaultValue Infinity */
  readonly sigmaMax?: number;
  /** Standard deviation of the new noise. @defaultValue 1 */
  readonly noiseScale?: number;
  /** Source of the new noise, drawn only at steps that use it. */
  readonly random: NormalSource;
}

/** `x` at a somewhat higher noise level than it was. */
export interface Churned {
  readonly x: Tensor;
  readonly sigma: number;
}

/**
 * Raises the noise level of `x` from `sigma` by the factor 1 + min(amount / steps, sqrt(2) - 1).
 *
 * Source: arXiv 2206.00364, algorithm 2.
 *
 * @example
 * ```ts
 * const { sigma } = addChurn(ones([1, 3, 8, 8]), 1, 32, { amount: 40, random: new Generator(1) });
 * sigma; // 1.414214
 * ```
 */
export function addChurn(x: Tensor, sigma: number, steps: number, churn: Churn | undefined): Churned {
  if (churn === undefined || churn.amount <= 0) return { x, sigma };
  const { sigmaMin = 0, sigmaMax = Number.POSITIVE_INFINITY, noiseScale = 1 } = churn;
  if (sigma < sigmaMin || sigma > sigmaMax) return { x, sigma };
  const dtype = x.dtype === 'float64' ? 'float64' : 'float32';
  const round = dtype === 'float32' ? Math.fround : (value: number) => value;
  const gamma = Math.min(churn.amount / steps, Math.SQRT2 - 1);
  const raised = round(sigma + round(gamma * sigma));
  const spread = round(Math.sqrt(round(round(raised ** 2) - round(sigma ** 2))));
  return { x: x.add(churn.random.normal(x.shape, { dtype }).mul(spread * noiseScale)), sigma: raised };
}
