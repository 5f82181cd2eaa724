import { type Command, InvalidArgumentError } from 'commander';
import { lacking } from '../metrics/compare.ts';
import { type Metric, metrics } from '../metrics/metric.ts';
import type { ImageSetStatistics } from '../metrics/reference.ts';

/** Options of commands that measure. */
export interface MetricFlags {
  readonly metrics?: Metric[];
  readonly inception?: string;
  readonly dinov2?: string;
}

/** Gives a command the options of {@link MetricFlags}. */
export function withMetrics(command: Command, byDefault: string): Command {
  return command
    .option(
      '--metrics <list>',
      `what is measured, of ${[...metrics.keys()].join(', ')} (default: ${byDefault})`,
      metricList,
    )
    .option('--inception <file>', "FID's Inception network as an ONNX file, for fid and kid")
    .option('--dinov2 <file>', 'DINOv2 ViT-L/14 as an ONNX file, for fd_dinov2 and kid_dinov2');
}

/** Names with commas between, each once. */
export function metricList(text: string): Metric[] {
  return [...new Set(text.split(',').map((name) => name.trim()))].map((name) => {
    const metric = metrics.get(name);
    if (metric === undefined) throw new InvalidArgumentError(`Give names of ${[...metrics.keys()].join(', ')}.`);
    return metric;
  });
}

/**
 * The metrics asked for, all of which the reference must have; without any, all that it has.
 *
 * @throws one line when it lacks one.
 */
export function metricsOf(reference: ImageSetStatistics, file: string, asked: readonly Metric[] | undefined): Metric[] {
  const has = ({ name, distance }: Metric) =>
    distance === 'frechet' ? reference.moments.has(name) : reference.features.has(name);
  if (asked === undefined) return [...metrics.values()].filter(has);
  const missing = asked.find((metric) => !has(metric));
  if (missing !== undefined) throw new Error(`${file}: ${lacking(missing.name, reference)}`);
  return [...asked];
}
