import type { MetricValue } from '../metrics/compare.ts';
import { metrics } from '../metrics/metric.ts';

/** `FID 2.5612`, with the error where there is one. */
export function describeValue({ metric, value, standardError }: MetricValue): string {
  const error = standardError === undefined ? '' : ` ± ${standardError.toPrecision(2)}`;
  return `${metrics.get(metric)?.title ?? metric} ${Number(value.toPrecision(6))}${error}`;
}
