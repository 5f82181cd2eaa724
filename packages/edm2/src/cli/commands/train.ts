import { Command, Option } from 'commander';
import type { ImageDataset } from '../../data/index.ts';
import { openImageDataset } from '../../node/data/open.ts';
import { type RunProgress, type TrainRunOptions, trainRun } from '../../node/training/train-run.ts';
import { trainingPresets } from '../../presets/index.ts';
import { type BackendChoice, useBackend, withBackend } from '../backend.ts';
import { emaLengths } from '../ema-lengths.ts';
import { onCheckpointSignal, onInterrupt } from '../interrupt.ts';
import { printJson, progressBeside, withJson } from '../json-output.ts';
import { duration } from '../progress-line.ts';
import { describeRun, type NetworkFlags, plannedRun, runOptions, type TrainFlags } from '../train-options.ts';
import { count, countFrom, flag, listOf, numberIn, seedNumber, wholeNumber } from '../values.ts';

/** `edm2 train`. */
export function trainCommand(): Command {
  const command = new Command('train')
    .description('Trains an EDM2 network in a folder. The same command again goes on where training was stopped.')
    .requiredOption('--outdir <folder>', 'where the run is written')
    .requiredOption('--data <data>', 'what it learns: emoji16, a folder or zip of images or latents, idx files')
    .option('--cond <bool>', 'whether the network is told labels', flag, true)
    .addOption(
      new Option(
        '--preset <name>',
        'sizes, rates and times (default: the small one for the resolution of the data)',
      ).choices([...trainingPresets.keys()]),
    )
    .option('--duration <images>', 'images seen in all', countFrom(1))
    .option('--batch <images>', 'images of a step', countFrom(1))
    .option('--channels <count>', 'width of the network', wholeNumber)
    .option('--dropout <probability>', 'of an activation', numberIn({ least: 0, below: 1 }))
    .option('--P_mean <number>', 'mean of ln(sigma)', numberIn())
    .option('--P_std <number>', 'standard deviation of ln(sigma)', numberIn({ above: 0 }))
    .option('--lr <number>', 'learning rate before it falls', numberIn({ above: 0 }))
    .option('--decay <batches>', 'steps after which it falls, 0 for never', numberIn({ least: 0 }))
    .option('--rampup <images>', 'images over which it rises, 0 for no rise', count);
  networkOptions(command);
  command
    .option('--batch-gpu <images>', 'images of a step that are in memory at a time, 0 for all', count, 0)
    .option('--fp16 <bool>', 'activations in float16; a CPU computes no faster by it', flag, false)
    .option('--ls <factor>', 'loss scale', numberIn({ above: 0 }), 1)
    .option('--bench <bool>', 'for the sake of published commands; kernels are always measured', flag, true)
    .option('--ema-stds <list>', 'lengths of the averages, such as 0.05,0.1', emaLengths)
    .option('--status <images>', 'images between status lines, 0 for none but at the end', count)
    .option('--snapshot <images>', 'images between snapshots of the averages, 0 for none', count)
    .addOption(
      new Option('--snapshot-dtype <name>', 'what snapshots hold').choices(['float16', 'float32']).default('float16'),
    )
    .option('--checkpoint <images>', 'images between checkpoints, 0 for none but at the end', count)
    .option('--keep <count>', 'checkpoints that are kept', wholeNumber, 2)
    .option(
      '--samples <images>',
      'images between grids of samples, 0 for none (default: as snapshots, of pixels)',
      count,
    )
    .option('--seed <number>', 'fixes weights, noise and the order of images', seedNumber, 0)
    .option('-n, --dry-run', 'say what would be trained, and stop')
    .addHelpText('after', help);
  return withJson(withBackend(command)).action(run);
}

function networkOptions(command: Command): void {
  command
    .option('--channel-mult <list>', 'channels of each level, in --channels', listOf({ above: 0 }))
    .option('--blocks <count>', 'blocks of a level', wholeNumber)
    .option('--attn <list>', 'resolutions with attention, such as 16,8', listOf({ least: 1, whole: true }))
    .option('--head-channels <count>', 'channels of an attention head', wholeNumber)
    .option('--balance <bool>', 'draw all classes equally often', flag);
}

const help = `
What has no default here is as the preset has it. Counts take Ki, Mi and Gi: 128Ki is 131072.

Examples:
  edm2 train --outdir=out/emoji --data=emoji16
  edm2 train --outdir=out/photos --data=photos.zip --cond=false --preset=small-64 --duration=2Mi
  edm2 train --outdir=out/xs --data=imagenet-latents.zip --preset=edm2-img512-xs --batch-gpu=8 --dry-run

Ctrl-C and SIGTERM stop after the step under way and save (exit code 130); SIGUSR1 saves and goes on.`;

async function run(flags: TrainFlags & NetworkFlags & BackendChoice & RunFlags, command: Command): Promise<void> {
  if (flags.dryRun) return tell(flags, command);
  const line = progressBeside(flags.json);
  // Before anything that takes time: left alone, SIGUSR1 makes Node wait for a debugger.
  const signal = onInterrupt(line);
  const wantsCheckpoint = onCheckpointSignal();
  await using dataset = await openImageDataset(flags.data, { useLabels: flags.cond });
  const options = checkedOptions(flags, dataset, command);
  line.print(`backend ${await useBackend(flags)}; Ctrl-C stops and saves`);
  const { isComplete, images, elapsedSeconds } = await trainRun({
    ...options,
    signal,
    wantsCheckpoint,
    onLine: (text) => line.print(text),
    onStep: (progress) => line.update(() => describeProgress(progress)),
  });
  if (flags.json) printJson({ outdir: flags.outdir, images, isComplete, seconds: elapsedSeconds });
  else if (isComplete) {
    line.print(`done: ${images} images in ${duration(elapsedSeconds)}. Snapshots are in ${flags.outdir}`);
  } else line.print(`stopped at ${images} images. The same command goes on`);
  if (!isComplete) process.exitCode = 130;
}

/** What `--dry-run` does. */
async function tell(flags: TrainFlags & NetworkFlags & RunFlags, command: Command): Promise<void> {
  await using dataset = await openImageDataset(flags.data, { useLabels: flags.cond });
  const options = checkedOptions(flags, dataset, command);
  if (flags.json) printJson(plannedRun(options));
  else process.stdout.write(`${describeRun(options)}\n`);
}

function checkedOptions(flags: TrainFlags & NetworkFlags, dataset: ImageDataset, command: Command): TrainRunOptions {
  const { options, problem } = runOptions(flags, dataset);
  return problem === undefined ? options : command.error(`error: ${problem}`);
}

function describeProgress({ images, duration: all, loss, imagesPerSecond, secondsLeft }: RunProgress): string {
  const shown = (value: number, digits: number): string => (Number.isFinite(value) ? value.toFixed(digits) : '-');
  const left = Number.isFinite(secondsLeft) ? `  ${duration(secondsLeft)} left` : '';
  const [seen, whole] = [(images / 1000).toFixed(1), (all / 1000).toFixed(1)];
  return `${seen} of ${whole} kimg  loss ${shown(loss, 3)}  ${shown(imagesPerSecond, 1)} images/s${left}`;
}

interface RunFlags {
  readonly dryRun?: boolean;
  readonly json?: boolean;
}
