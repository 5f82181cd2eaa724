import { Command } from 'commander';
import { collectDataset, StatisticsCollector } from '../../metrics/collect.ts';
import { compareStatistics } from '../../metrics/compare.ts';
import { openImageDataset } from '../../node/data/open.ts';
import { loadExtractors } from '../../node/metrics/load-extractors.ts';
import { readStatistics } from '../../node/metrics/statistics-files.ts';
import { type BackendChoice, useBackend, withBackend } from '../backend.ts';
import { printJson, progressBeside, withJson } from '../json-output.ts';
import { type MetricFlags, metricsOf, withMetrics } from '../metric-options.ts';
import { describeValue } from '../metric-values.ts';
import { duration } from '../progress-line.ts';
import { TimeLeft } from '../time-left.ts';
import { countFrom, seedNumber, wholeNumber } from '../values.ts';

interface CalcFlags extends MetricFlags, BackendChoice {
  readonly images: string;
  readonly ref: string;
  readonly num: number;
  readonly seed: number;
  readonly batch: number;
  readonly json?: boolean;
}

/** `edm2 metrics calc`: images that are there. */
export function metricsCalcCommand(): Command {
  const command = new Command('calc')
    .description('Measures images against a reference.')
    .requiredOption('--images <path>', 'a folder of images, or a zip')
    .requiredOption('--ref <file>', 'statistics of the reference, from metrics ref');
  withMetrics(command, 'all that the reference has')
    .option('--num <count>', 'images to measure; there must be as many', countFrom(2), 50000)
    .option('--seed <number>', 'which ones, where there are more', seedNumber, 0)
    .option('--batch <count>', 'images at a time', wholeNumber, 64)
    .option('--workers <count>', 'for the sake of published commands; images are read as they are needed', wholeNumber)
    .addHelpText(
      'after',
      `
Examples:
  edm2 metrics calc --images=out --ref=emoji16.npz --num=2000
  edm2 metrics calc --images=samples.zip --ref=cifar10-32x32.npz --metrics=fid --inception=inception.onnx`,
    );
  return withJson(withBackend(command)).action(run);
}

async function run(flags: CalcFlags): Promise<void> {
  const line = progressBeside(flags.json);
  const reference = await readStatistics(flags.ref);
  const wanted = metricsOf(reference, flags.ref, flags.metrics);
  const dataset = await openImageDataset(flags.images, { useLabels: false });
  try {
    const extractors = await loadExtractors(wanted, flags);
    line.print(`backend ${await useBackend(flags)}`);
    const collector = new StatisticsCollector({ metrics: wanted, extractors });
    const time = new TimeLeft();
    await collectDataset(dataset, collector, {
      num: flags.num,
      seed: flags.seed,
      batchSize: flags.batch,
      onImages: (done, all) => line.update(() => `${done} of ${all} images, ${time.left(done / all)} left`),
    });
    line.update(() => 'comparing');
    const values = compareStatistics(collector.result(), reference, wanted);
    if (flags.json) {
      const summary = { images: flags.images, num: flags.num, ref: flags.ref, values, seconds: time.seconds };
      printJson(summary);
      return;
    }
    for (const value of values) line.print(describeValue(value));
    line.print(`${flags.num} images in ${duration(time.seconds)}`);
  } finally {
    await dataset.close();
  }
}
