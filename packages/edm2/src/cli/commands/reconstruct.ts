import { writeFileAtomically } from '@evenkeel/formats/node';
import { Command, Option } from 'commander';
import { profileChart } from '../../ema/charts.ts';
import { fitWarning } from '../../ema/fit.ts';
import {
  type PlannedReconstruction,
  planReconstruction,
  writeReconstructions,
} from '../../node/ema/reconstruct-files.ts';
import { selectSnapshots } from '../../node/ema/select-snapshots.ts';
import { emaLengths } from '../ema-lengths.ts';
import { onInterrupt } from '../interrupt.ts';
import { printJson, progressBeside, withJson } from '../json-output.ts';
import { duration } from '../progress-line.ts';
import { TimeLeft } from '../time-left.ts';
import { fileEndingIn, wholeNumber } from '../values.ts';

interface ReconstructOptions {
  readonly indir: string;
  readonly inprefix?: string;
  readonly instd?: number[];
  readonly outdir: string;
  readonly outprefix: string;
  readonly outstd: number[];
  readonly outkimg?: number;
  readonly skip?: boolean;
  readonly batch: number;
  readonly dtype: 'float16' | 'float32';
  readonly plot?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** `edm2 reconstruct`: averages of any length, made of a training's snapshots. */
export function reconstructCommand(): Command {
  const command = new Command('reconstruct')
    .description('Makes averages of any length from the snapshots of a training (post-hoc EMA).')
    .requiredOption('--indir <folder>', 'folder of snapshots')
    .option('--inprefix <name>', "what their names start with (default: 'network-snapshot', or what all have)")
    .option('--instd <list>', 'lengths of snapshots to take (default: all)', emaLengths)
    .requiredOption('--outdir <folder>', 'where results go')
    .option('--outprefix <name>', 'what their names start with', 'phema')
    .requiredOption('--outstd <list>', 'lengths to make, relative to training', emaLengths)
    .option('--outkimg <thousands>', 'time to make them for, one of a snapshot (default: the newest)', wholeNumber)
    .option('--skip', 'leave files alone that are there already')
    .option('--batch <count>', 'lengths made in one pass over the snapshots', wholeNumber, 8)
    .addOption(
      new Option('--dtype <name>', 'what values are stored in').choices(['float16', 'float32']).default('float16'),
    )
    .option('--plot <file>', 'draw the averaging profiles, an SVG file', fileEndingIn('.svg'))
    .option('-n, --dry-run', 'tell what would be made, and how well, and read no weights')
    .addHelpText(
      'after',
      `
Lists: 0.05,0.10 or 0.010,0.015,...,0.250. Results are named phema-0008388-0.130.safetensors: thousands of images, then length.
Examples:
  edm2 reconstruct --indir=runs/00 --outdir=runs/00/phema --outstd=0.130
  edm2 reconstruct --indir=runs/00 --outdir=runs/00/phema --outstd=0.010,0.015,...,0.250 --skip --plot=profiles.svg`,
    );
  return withJson(command).action(run);
}

async function run(options: ReconstructOptions): Promise<void> {
  const { indir, inprefix, instd, outdir, outprefix, outstd, outkimg, skip, batch, dtype, plot, dryRun, json } =
    options;
  const line = progressBeside(json);
  const time = new TimeLeft();
  const selected = await selectSnapshots(indir, {
    ...(inprefix === undefined ? {} : { prefix: inprefix }),
    ...(instd === undefined ? {} : { stds: instd }),
    ...(outkimg === undefined ? {} : { kimg: outkimg }),
  });
  const planned = planReconstruction(selected, { folder: outdir, stds: outstd, prefix: outprefix });
  line.print(`${indir}: snapshots up to ${selected.images} images, ${selected.snapshots.length} in all`);
  for (const one of planned) line.print(describe(one, skip));
  for (const { fit } of planned) {
    const warning = fitWarning(fit);
    if (warning !== undefined) process.stderr.write(`warning: ${warning}\n`);
  }
  const todo = planned.filter(({ exists }) => !(skip && exists));
  if (plot !== undefined) {
    const profiles = outstd.map((std) => ({ images: selected.images, std }));
    await writeFileAtomically(plot, profileChart(profiles, { snapshots: selected.snapshots }));
    line.print(plot);
  }
  if (!dryRun) {
    const signal = onInterrupt(line);
    try {
      await writeReconstructions(selected, todo, {
        batch,
        dtype,
        signal,
        onProgress(done, total) {
          const left = done === 0 ? '' : `, ${time.left(done / total)} left`;
          line.update(() => `reading snapshot ${done + 1} of ${total}${left}`);
        },
        onFile: (path) => line.print(path),
      });
    } catch (error) {
      if (!signal.aborted) throw error;
      process.exitCode = 130;
      return;
    }
  }
  const { seconds } = time;
  if (json) printJson(report(planned, { dryRun: dryRun ?? false, skip: skip ?? false, seconds }));
  else line.print(dryRun ? 'dry run: nothing was made' : `${todo.length} made in ${duration(seconds)}`);
}

function describe({ path, fit, exists }: PlannedReconstruction, skip = false): string {
  const { std, error, magnitude } = fit;
  const note = exists ? (skip ? ', is there' : ', replaces the one there') : '';
  return `  length ${std}: profile error ${(100 * error).toFixed(error < 0.1 ? 1 : 0)}%, sum of |weights| ${magnitude.toPrecision(3)}, ${path}${note}`;
}

function report(
  planned: readonly PlannedReconstruction[],
  { dryRun, skip, seconds }: { dryRun: boolean; skip: boolean; seconds: number },
) {
  const files = planned.map(({ path, fit, exists }) => {
    const { images, std, error, magnitude, isSpanned } = fit;
    return { path, images, std, error, magnitude, isSpanned, made: !dryRun && !(skip && exists) };
  });
  return { files, seconds };
}
