import { assertWritable } from '@evenkeel/formats/node';
import { Command } from 'commander';
import { collectDataset, StatisticsCollector } from '../../metrics/collect.ts';
import { metrics as allMetrics, type Metric } from '../../metrics/metric.ts';
import { openImageDataset } from '../../node/data/open.ts';
import { loadExtractors } from '../../node/metrics/load-extractors.ts';
import { writeStatistics } from '../../node/metrics/statistics-files.ts';
import { type BackendChoice, useBackend, withBackend } from '../backend.ts';
import { printJson, progressBeside, withJson } from '../json-output.ts';
import { type MetricFlags, withMetrics } from '../metric-options.ts';
import { duration } from '../progress-line.ts';
import { TimeLeft } from '../time-left.ts';
import { fileEndingIn, wholeNumber } from '../values.ts';

interface RefFlags extends MetricFlags, BackendChoice {
  readonly data: string;
  readonly dest: string;
  readonly balance?: boolean;
  readonly batch: number;
  readonly json?: boolean;
}

/** `edm2 metrics ref`: the reference that images are measured against. */
export function metricsRefCommand(): Command {
  const command = new Command('ref')
    .description('Writes the statistics of a data set, to measure images against.')
    .requiredOption('--data <data>', 'emoji16, a folder of images, a zip, or idx files')
    .requiredOption('--dest <file>', 'where statistics go, .npz or .safetensors', fileEndingIn('.npz', '.safetensors'));
  withMetrics(command, 'fid with --inception, fd_dinov2 with --dinov2, fd_small without either')
    .option('--balance', 'let every class count alike, for samples whose classes are drawn evenly')
    .option('--batch <count>', 'images at a time', wholeNumber, 64)
    .option('--workers <count>', 'for the sake of published commands; images are read as they are needed', wholeNumber)
    .addHelpText(
      'after',
      `
Examples:
  edm2 metrics ref --data=emoji16 --dest=emoji16.npz --balance
  edm2 metrics ref --data=photos.zip --dest=photos.safetensors --metrics=fid,kid --inception=inception.onnx`,
    );
  return withJson(withBackend(command)).action(run);
}

async function run(flags: RefFlags, command: Command): Promise<void> {
  const line = progressBeside(flags.json);
  const wanted = flags.metrics ?? defaultMetrics(flags);
  const unbalanced = wanted.find(({ distance }) => distance !== 'frechet');
  if (flags.balance && unbalanced) command.error(`error: --balance: ${unbalanced.name} cannot be balanced by class`);
  await assertWritable(flags.dest);
  const dataset = await openImageDataset(flags.data);
  try {
    if (flags.balance && dataset.labelDim === 0) throw new Error(`--balance: ${dataset.name} has no classes`);
    const extractors = await loadExtractors(wanted, flags);
    line.print(`backend ${await useBackend(flags)}`);
    const collector = new StatisticsCollector({ metrics: wanted, extractors, balanced: flags.balance ?? false });
    const time = new TimeLeft();
    await collectDataset(dataset, collector, {
      batchSize: flags.batch,
      onImages: (done, all) => line.update(() => `${done} of ${all} images, ${time.left(done / all)} left`),
    });
    await writeStatistics(flags.dest, collector.result());
    const names = wanted.map(({ name }) => name);
    if (flags.json) {
      printJson({ dest: flags.dest, images: collector.count, metrics: names, seconds: time.seconds });
    } else line.print(`${flags.dest}: ${names.join(', ')} of ${collector.count} images (${duration(time.seconds)})`);
  } finally {
    await dataset.close();
  }
}

function defaultMetrics({ inception, dinov2 }: RefFlags): Metric[] {
  const names = [...(inception ? ['fid'] : []), ...(dinov2 ? ['fd_dinov2'] : [])];
  return (names.length === 0 ? ['fd_small'] : names).map((name) => allMetrics.get(name) as Metric);
}
