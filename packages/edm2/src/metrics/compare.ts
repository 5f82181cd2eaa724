import { frechetDistance } from './distances/frechet-distance.ts';
import { type KernelDistanceOptions, kernelDistance } from './distances/kernel-distance.ts';
import type { Metric } from './metric.ts';
import type { ImageSetStatistics } from './reference.ts';

/** A metric's value. */
export interface MetricValue {
  readonly metric: string;
  readonly value: number;
  /** Of metrics that are averages over subsets. */
  readonly standardError?: number;
}

/**
 * Measures a set of images against a reference.
 *
 * @throws Error, one line, when one of both lacks what a metric needs.
 * @example
 * ```ts
 * const moments = (mean: number) => new Map([['fid', { mean: Float64Array.of(mean), covariance: Float64Array.of(1) }]]);
 * const set = (mean: number): ImageSetStatistics => ({ moments: moments(mean), features: new Map() });
 * compareStatistics(set(0), set(3), [metrics.get('fid')!])[0]?.value; // 9
 * ```
 */
export function compareStatistics(
  images: ImageSetStatistics,
  reference: ImageSetStatistics,
  metrics: readonly Metric[],
  options: KernelDistanceOptions = {},
): MetricValue[] {
  return metrics.map(({ name, distance }) => {
    if (distance === 'frechet') {
      const [a, b] = [images.moments.get(name), reference.moments.get(name)];
      if (a === undefined || b === undefined) throw new Error(lacking(name, a ? reference : images));
      return { metric: name, value: frechetDistance(a, b) };
    }
    const [a, b] = [images.features.get(name), reference.features.get(name)];
    if (a === undefined || b === undefined) throw new Error(lacking(name, a ? reference : images));
    const { value, standardError } = kernelDistance(a.rows, b.rows, a.featureDim, options);
    return { metric: name, value, standardError };
  });
}

/** What to say of statistics without those of a metric. */
export function lacking(metric: string, { moments, features }: ImageSetStatistics): string {
  const has = [...moments.keys(), ...features.keys()].join(', ') || 'nothing';
  return `statistics of '${metric}' are missing: there are those of ${has}. Make them: edm2 metrics ref --metrics=${metric}`;
}
