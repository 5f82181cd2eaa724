import { assertWritable, writeFileAtomically } from '@evenkeel/formats/node';
import { Generator } from '@evenkeel/tensor';
import { Command } from 'commander';
import { type EmaSweepRow, sweepEmaLengths } from '../../metrics/ema-sweep.ts';
import { loadEmoji16Classifier } from '../../metrics/emoji16-classifier.ts';
import { metrics as allMetrics } from '../../metrics/metric.ts';
import { describedNetwork } from '../../network/network-metadata.ts';
import { Precond } from '../../network/precondition.ts';
import { selectSnapshots } from '../../node/ema/select-snapshots.ts';
import { loadExtractors } from '../../node/metrics/load-extractors.ts';
import { readStatistics } from '../../node/metrics/statistics-files.ts';
import { SweepTable } from '../../node/metrics/sweep-table.ts';
import { readNetwork } from '../../node/read-network.ts';
import { lineChart } from '../../plot/line-chart.ts';
import { type BackendChoice, useBackend, withBackend } from '../backend.ts';
import { emaLengths } from '../ema-lengths.ts';
import { type GuideFlags, withGuide } from '../guide-options.ts';
import { onInterrupt } from '../interrupt.ts';
import { printJson, progressBeside, withJson } from '../json-output.ts';
import { encoderOf } from '../latents.ts';
import { type MetricFlags, metricsOf, withMetrics } from '../metric-options.ts';
import { describeValue } from '../metric-values.ts';
import { PicturePace } from '../picture-pace.ts';
import { type SamplerFlags, samplerOptions, withSampler } from '../sampler-options.ts';
import { countFrom, fileEndingIn, seedNumber, wholeNumber } from '../values.ts';

interface SweepFlags extends MetricFlags, GuideFlags, SamplerFlags, BackendChoice {
  readonly run: string;
  readonly inprefix?: string;
  readonly ref: string;
  readonly stds: number[];
  readonly csv: string;
  readonly svg?: string;
  readonly num: number;
  readonly seed: number;
  readonly batch: number;
  readonly json?: boolean;
}

/** `edm2 metrics sweep`: quality over the length of the average. */
export function metricsSweepCommand(): Command {
  const command = new Command('sweep')
    .description(
      'Measures averages of several lengths, made from the snapshots of a training. The same command again goes on.',
    )
    .requiredOption('--run <folder>', 'folder of a training, with snapshots of two lengths or more')
    .option('--inprefix <name>', "what their names start with (default: whatever it is, such as 'network-snapshot')")
    .requiredOption('--ref <file>', 'statistics of the reference, from metrics ref')
    .requiredOption('--stds <list>', 'lengths, such as 0.03,0.05,0.1 or 0.01,0.02,...,0.2', emaLengths)
    .requiredOption('--csv <file>', 'table of results; a length that stands in it is not measured again')
    .option('--svg <file>', 'curve of the first metric', fileEndingIn('.svg'));
  withMetrics(command, 'all that the reference has')
    .option('--num <count>', 'pictures of each length, of the same seeds', countFrom(2), 1000)
    .option('--seed <number>', 'seed of the first picture', seedNumber, 0)
    .option('--batch <count>', 'most pictures computed together', wholeNumber, 32);
  withSampler(withGuide(command)).addHelpText(
    'after',
    `
The share of pictures that show the class asked for (agreement) is measured for networks of emoji16 alone.

Examples:
  edm2 metrics ref --data=emoji16 --dest=emoji16.npz --balance
  edm2 metrics sweep --run=runs/00 --ref=emoji16.npz --stds=0.02,0.04,0.06,0.1,0.15,0.2 --csv=sweep.csv --svg=sweep.svg`,
  );
  return withJson(withBackend(command)).action(run);
}

async function run(flags: SweepFlags, command: Command): Promise<void> {
  const { num, seed, steps, guidance = 1, gnet, inprefix } = flags;
  if (guidance !== 1 && gnet === undefined) {
    command.error(`error: --guidance ${guidance} needs --gnet, the network to move away from`);
  }
  const line = progressBeside(flags.json);
  const reference = await readStatistics(flags.ref);
  const metrics = metricsOf(reference, flags.ref, flags.metrics);
  const { snapshots, images } = await selectSnapshots(flags.run, inprefix === undefined ? {} : { prefix: inprefix });
  const newest = snapshots.at(-1) as (typeof snapshots)[number];
  const { metadata, copied } = await newest.describe();
  const description = describedNetwork(metadata, newest.path);
  const { sigma_min, sigma_max, rho, S_churn, S_min, S_max, S_noise, guidanceInterval: interval } = flags;
  const table = await SweepTable.open(flags.csv, {
    images,
    num,
    seed,
    steps,
    sigma_min,
    sigma_max,
    rho,
    S_churn,
    S_min,
    S_max: String(S_max),
    S_noise,
    guidance,
    gnet: gnet ?? '',
    interval: JSON.stringify(interval) ?? '',
    ref: flags.ref,
    metrics: metrics.map(({ name }) => name),
  });
  const stds = [...new Set(flags.stds)].sort((a, b) => a - b).filter((std) => !table.has(std));
  await assertWritable(flags.csv);
  if (flags.svg !== undefined) await assertWritable(flags.svg);
  const extractors = await loadExtractors(metrics, flags);
  line.print(
    `${snapshots.length} snapshots up to ${images} images; ${stds.length} lengths to measure, ${table.rows.length} were`,
  );
  line.print(`backend ${await useBackend(flags)}`);
  const signal = onInterrupt(line);
  const net = new Precond({ ...description.options, generator: new Generator(0) });
  const guide = gnet === undefined || guidance === 1 ? undefined : await readNetwork(gnet);
  const classifier = isEmoji16(net) ? await loadEmoji16Classifier() : undefined;
  try {
    const encoder = await encoderOf({ net, description, file: flags.run, images, std: undefined }, flags.vae);
    const pace = new PicturePace(num * stds.length, flags.batch, line);
    let done = 0;
    const rows = sweepEmaLengths(net, {
      ...samplerOptions(flags),
      snapshots,
      copied,
      stds,
      metrics,
      extractors,
      reference,
      encoder,
      seeds: Array.from({ length: num }, (_, i) => seed + i),
      batchSize: flags.batch,
      ...(classifier && { classifier }),
      ...(guide && { guide: guide.net, guidance }),
      onStep({ step, steps: all }) {
        signal.throwIfAborted();
        pace.step(step, all);
      },
      onWarning: (message) => line.print(`warning: ${message}`),
      onProgress: ({ pictures = 0 }) => pace.finished(done + pictures),
    });
    for await (const row of rows) {
      done += num;
      await table.add(row);
      line.print(describe(row));
    }
    if (flags.svg !== undefined) await writeFileAtomically(flags.svg, chartOf(table.rows));
    if (flags.json) printJson({ csv: flags.csv, svg: flags.svg, rows: table.rows });
    else line.print([flags.csv, ...(flags.svg === undefined ? [] : [flags.svg])].join(', '));
  } catch (error) {
    if (!signal.aborted) throw error;
    line.print(`stopped with ${table.rows.length} lengths in ${flags.csv}. The same command goes on`);
    process.exitCode = 130;
  } finally {
    net.dispose();
    guide?.net.dispose();
    classifier?.dispose();
  }
}

/** Whether the classifier of emoji16 has the network's classes. */
function isEmoji16({ options: { imgResolution, imgChannels, labelDim } }: Precond): boolean {
  return imgResolution === 16 && imgChannels === 3 && labelDim === 10;
}

function describe({ std, values, agreement }: EmaSweepRow): string {
  const right = agreement === undefined ? '' : `, ${(100 * agreement).toFixed(1)}% of the class asked for`;
  return `length ${std.toFixed(3)}: ${values.map(describeValue).join(', ')}${right}`;
}

/** The first metric over length. */
function chartOf(rows: readonly EmaSweepRow[]): string {
  const metric = rows[0]?.values[0]?.metric as string;
  const title = allMetrics.get(metric)?.title ?? metric;
  const points = rows.map(({ std, values }): [number, number] => [std, values[0]?.value ?? Number.NaN]);
  return lineChart([{ label: title, points }], {
    title: `${title} over the length of the average`,
    xLabel: 'EMA length (relative standard deviation)',
    yLabel: title,
  });
}
