import { mkdir } from 'node:fs/promises';
import { writeFileAtomically } from '@evenkeel/formats/node';
import { Command, Option } from 'commander';
import { profileChart } from '../../ema/charts.ts';
import { fitWarning } from '../../ema/fit.ts';
import { largestStd } from '../../ema/profile.ts';
import {
  type PlannedReconstruction,
  planReconstruction,
  writeReconstructions,
} from '../../node/ema/reconstruct-files.ts';
import { selectSnapshots } from '../../node/ema/select-snapshots.ts';
import { onInterrupt } from '../interrupt.ts';
import { duration, ProgressLine } from '../progress-line.ts';
import { numberIn, numberList } from '../values.ts';

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

const stds = numberList({ above: 0, below: Number(largestStd.toFixed(6)) });

/** `edm2 reconstruct`: averages of any length, made of a training's snapshots. */
export function reconstructCommand(): Command {
  return new Command('reconstruct')
    .description('Makes averages of any length from the snapshots of a training (post-hoc EMA).')
    .requiredOption('--indir <folder>', 'folder of snapshots')
    .option('--inprefix <name>', "what their names start with (default: 'network-snapshot', or what all have)")
    .option('--instd <list>', 'lengths of snapshots to take (default: all)', stds)
    .requiredOption('--outdir <folder>', 'where results go')
    .option('--outprefix <name>', 'what their names start with', 'phema')
    .requiredOption('--outstd <list>', 'lengths to make, relative to training', stds)
    .option(
      '--outkimg <thousands>',
      'time to make them for, one of a snapshot (default: the newest)',
      numberIn({ least: 1, whole: true }),
    )
    .option('--skip', 'leave files alone that are there already')
    .option('--batch <count>', 'lengths made in one pass over the snapshots', numberIn({ least: 1, whole: true }), 8)
    .addOption(
      new Option('--dtype <dtype>', 'what values are stored in').choices(['float16', 'float32']).default('float16'),
    )
    .option('--plot <file>', 'draw the averaging profiles, an SVG file')
    .option('-n, --dry-run', 'tell what would be made, and how well, and read no weights')
    .option('--json', 'print one line of JSON when done, and nothing else')
    .addHelpText(
      'after',
      `
Lists: 0.05,0.10 or 0.010,0.015,...,0.250. Results are named phema-0008388-0.130.safetensors: thousands of images, then length.
Examples:
  $ edm2 reconstruct --indir runs/00 --outdir runs/00/phema --outstd 0.130
  $ edm2 reconstruct --indir runs/00 --outdir runs/00/phema --outstd 0.010,0.015,...,0.250 --skip --plot profiles.svg`,
    )
    .action(run);
}

async function run(options: ReconstructOptions): Promise<void> {
  const { indir, inprefix, instd, outdir, outprefix, outstd, outkimg, skip, batch, dtype, plot, dryRun, json } =
    options;
  const line = new ProgressLine(json ? process.stderr : process.stdout);
  const say = (text: string) => void (json || line.print(text));
  const start = performance.now();
  const selected = await selectSnapshots(indir, {
    ...(inprefix === undefined ? {} : { prefix: inprefix }),
    ...(instd === undefined ? {} : { stds: instd }),
    ...(outkimg === undefined ? {} : { kimg: outkimg }),
  });
  const planned = planReconstruction(selected, { folder: outdir, stds: outstd, prefix: outprefix });
  say(`${selected.snapshots.length} snapshots up to ${selected.images} images in ${indir}`);
  for (const one of planned) say(describe(one, skip));
  for (const { fit } of planned) {
    const warning = fitWarning(fit);
    if (warning !== undefined) process.stderr.write(`warning ${warning}\n`);
  }
  const todo = planned.filter(({ exists }) => !(skip && exists));
  if (plot !== undefined) {
    const profiles = outstd.map((std) => ({ images: selected.images, std }));
    await writeFileAtomically(plot, profileChart(profiles, { snapshots: selected.snapshots }));
    say(plot);
  }
  if (!dryRun) {
    await mkdir(outdir, { recursive: true });
    const signal = onInterrupt(line);
    try {
      await writeReconstructions(selected, todo, {
        batch,
        dtype,
        signal,
        onProgress(done, total) {
          if (!json) line.update(() => progress(done, total, performance.now() - start));
        },
        onFile: (path) => say(path),
      });
    } catch (error) {
      if (!signal.aborted) throw error;
      process.exitCode = 130;
      return;
    }
  }
  const seconds = (performance.now() - start) / 1000;
  if (!json) say(dryRun ? 'dry run: nothing was made' : `${todo.length} made in ${duration(seconds)}`);
  else console.log(JSON.stringify(report(planned, { dryRun: dryRun ?? false, skip: skip ?? false, seconds })));
}

function describe({ path, fit, exists }: PlannedReconstruction, skip = false): string {
  const { std, error, magnitude } = fit;
  const note = exists ? (skip ? ', is there' : ', replaces the one there') : '';
  return `  length ${std}: profile error ${(100 * error).toPrecision(2)}%, sum of |weights| ${magnitude.toPrecision(3)}, ${path}${note}`;
}

function progress(done: number, total: number, milliseconds: number): string {
  const left = done === 0 ? '' : `, ${duration(((milliseconds / done) * (total - done)) / 1000)} left`;
  return `reading snapshot ${done + 1} of ${total}${left}`;
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
