import { Command } from 'commander';
import { StatisticsCollector } from '../../metrics/collect.ts';
import { collectGenerated } from '../../metrics/collect-generated.ts';
import { compareStatistics, type MetricValue } from '../../metrics/compare.ts';
import { loadExtractors } from '../../node/metrics/load-extractors.ts';
import { readStatistics } from '../../node/metrics/statistics-files.ts';
import { readNetwork } from '../../node/read-network.ts';
import { type BackendChoice, useBackend, withBackend } from '../backend.ts';
import { type GuideFlags, withGuide } from '../guide-options.ts';
import { onInterrupt } from '../interrupt.ts';
import { printJson, progressBeside, withJson } from '../json-output.ts';
import { encoderOf } from '../latents.ts';
import { type MetricFlags, metricsOf, withMetrics } from '../metric-options.ts';
import { describeValue } from '../metric-values.ts';
import { PicturePace } from '../picture-pace.ts';
import { duration } from '../progress-line.ts';
import { type SamplerFlags, samplerOptions, withSampler } from '../sampler-options.ts';
import { countFrom, seedNumber, wholeNumber } from '../values.ts';

interface GenFlags extends MetricFlags, GuideFlags, SamplerFlags, BackendChoice {
  readonly net: string;
  readonly ref: string;
  readonly num: number;
  readonly seed: number;
  readonly repeats: number;
  readonly batch: number;
  readonly json?: boolean;
}

/** `edm2 metrics gen`: pictures that a network makes. */
export function metricsGenCommand(): Command {
  const command = new Command('gen')
    .description('Makes pictures and measures them against a reference, without writing them.')
    .requiredOption('--net <path>', 'network: a snapshot, or a folder of them, whose newest is taken')
    .requiredOption('--ref <file>', 'statistics of the reference, from metrics ref');
  withMetrics(command, 'all that the reference has')
    .option('--num <count>', 'pictures to make', countFrom(2), 50000)
    .option('--seed <number>', 'seed of the first picture', seedNumber, 0)
    .option(
      '--repeats <count>',
      'how many sets of pictures, one after the other; the least value counts',
      wholeNumber,
      1,
    )
    .option('--batch <count>', 'most pictures computed together', wholeNumber, 32);
  withSampler(withGuide(command)).addHelpText(
    'after',
    `
Published figures are the least of three sets of 50,000: --repeats=3. What takes hours is better done in two steps that can be
stopped: edm2 sample, then edm2 metrics calc.

Examples:
  edm2 metrics gen --net=runs/00 --ref=emoji16.npz --num=2000
  edm2 metrics gen --net=edm2-img64-s-1073741-0.075.pkl --ref=img64.npz --inception=inception.onnx --repeats=3`,
  );
  return withJson(withBackend(command)).action(run);
}

async function run(flags: GenFlags, command: Command): Promise<void> {
  const { num, seed, repeats, guidance = 1 } = flags;
  if (guidance !== 1 && flags.gnet === undefined) {
    command.error(`error: --guidance ${guidance} needs --gnet, the network to move away from`);
  }
  const line = progressBeside(flags.json);
  const reference = await readStatistics(flags.ref);
  const wanted = metricsOf(reference, flags.ref, flags.metrics);
  const extractors = await loadExtractors(wanted, flags);
  const network = await readNetwork(flags.net);
  const guide = flags.gnet === undefined ? undefined : await readNetwork(flags.gnet);
  let isInterrupted = () => false;
  try {
    const encoder = await encoderOf(network, flags.vae);
    line.print(`backend ${await useBackend(flags)}`);
    const signal = onInterrupt(line);
    isInterrupted = () => signal.aborted;
    const pace = new PicturePace(num * repeats, flags.batch, line);
    const sets: MetricValue[][] = [];
    for (let set = 0; set < repeats; set++) {
      const collector = new StatisticsCollector({ metrics: wanted, extractors });
      const seeds = Array.from({ length: num }, (_, i) => seed + set * num + i);
      await collectGenerated(network.net, collector, seeds, {
        ...samplerOptions(flags),
        batchSize: flags.batch,
        encoder,
        ...(guide && guidance !== 1 && { guide: guide.net, guidance }),
        onStep({ step, steps }) {
          signal.throwIfAborted();
          pace.step(step, steps);
        },
        onImages: (done) => pace.finished(set * num + done),
      });
      const values = compareStatistics(collector.result(), reference, wanted);
      const range = repeats === 1 ? '' : `seeds ${seeds[0]}-${seeds.at(-1)}: `;
      line.print(`${range}${values.map(describeValue).join(', ')}`);
      sets.push(values);
    }
    const least = wanted.map((_, i) =>
      sets.map((values) => values[i] as MetricValue).reduce((a, b) => (b.value < a.value ? b : a)),
    );
    if (flags.json) {
      const summary = {
        net: network.file,
        guide: guide?.file,
        guidance,
        num,
        seed,
        ref: flags.ref,
        values: least,
        sets,
        seconds: pace.seconds,
      };
      printJson(summary);
    } else if (repeats > 1) line.print(`least of ${repeats}: ${least.map(describeValue).join(', ')}`);
    line.print(`${num * repeats} pictures in ${duration(pace.seconds)}`);
  } catch (error) {
    if (!isInterrupted()) throw error;
    process.exitCode = 130;
  } finally {
    network.net.dispose();
    guide?.net.dispose();
  }
}
