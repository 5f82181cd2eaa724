import { rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { writeFileAtomically } from '@evenkeel/formats/node';
import pc from 'picocolors';
import { useBackend } from '../cli/backend.ts';
import { onInterrupt } from '../cli/interrupt.ts';
import { duration, ProgressLine } from '../cli/progress-line.ts';
import { loadEmoji16 } from '../data/index.ts';
import { loadEmoji16Classifier } from '../metrics/emoji16-classifier.ts';
import { judge } from './judge.ts';
import { parseOptions, type QuickstartOptions } from './options.ts';
import { paint } from './paint.ts';
import { earlierRun, lossChart, type SummaryParts, summary, verdict, withoutCurve } from './report.ts';
import { affordablePlan, fullPlan, samplingMs } from './sampling-plan.ts';
import { type TrainingReport, train } from './train.ts';

async function run(options: QuickstartOptions): Promise<void> {
  const start = performance.now();
  const { out: folder, seed, minutes, samplesOnly } = options;
  const line = new ProgressLine();
  await checkWritable(folder);
  const dataset = await loadEmoji16();
  const backend = await useBackend(options);
  using classifier = await loadEmoji16Classifier();
  line.print(pc.bold('evenkeel quickstart: EDM2 (config G) on emoji16'));
  line.print(
    `${dataset.length} pictures of 16x16 in ${dataset.classNames.length} classes: ${dataset.classNames.join(', ')}`,
  );
  line.print(
    `backend ${backend}, about ${duration(minutes * 60)}; Ctrl-C stops early and keeps what was saved${compilingNote(options)}`,
  );

  const signal = onInterrupt(line);
  const deadline = start + minutes * 60_000;
  const left = (): number => deadline - judgingMs - performance.now();
  const earlier = await earlierRun(folder);
  let training: TrainingReport | undefined;
  if (!samplesOnly) {
    const isStopped = () => signal.aborted;
    training = await train({ dataset, folder, seed, backend: options.backend, deadline, line, isStopped });
    line.print(trainedLine(training));
    await writeFileAtomically(join(folder, 'loss.svg'), lossChart(training));
  }
  const isSameBackend = earlier.options?.backend === options.backend;
  const rate = training?.imagesPerSecond ?? (isSameBackend ? earlier.training?.imagesPerSecond : undefined);
  const plan = rate === undefined ? fullPlan : affordablePlan(left(), dataset.labelDim, rate);
  const report = { options, backend, training: training ? withoutCurve(training) : earlier.training };
  const save = async (found: Pick<SummaryParts, 'painting' | 'judgement'>): Promise<number> => {
    const seconds = (performance.now() - start) / 1000;
    await writeFileAtomically(join(folder, 'summary.json'), summary({ ...report, ...found, seconds }));
    return seconds;
  };
  if (training && !signal.aborted) {
    const paintingMs = samplingMs(plan, dataset.labelDim, training.imagesPerSecond);
    // Estimates are rough: what is late by much is not begun.
    if (paintingMs > left() + minutes * 30_000) {
      for (const name of ['samples.png', 'neighbours.png']) await rm(join(folder, name), { force: true });
      const seconds = await save({});
      // A single step is mostly compiling, and tells nothing of painting.
      const estimate = training.steps > 1 ? `, which takes about ${duration(paintingMs / 1000)} here` : '';
      line.print(`no time is left to paint${estimate}. To do it from the snapshots: ${againFrom(options)}`);
      line.print(`done in ${duration(seconds)}, without pictures`);
      return;
    }
  }
  const request = { dataset, folder, seed, plan, line, signal, deadline: deadline - judgingMs };
  const painted = await paint(request).catch((error: unknown) => {
    if (signal.aborted) return undefined;
    throw error;
  });
  if (painted === undefined) {
    line.print(
      `Stopped. The snapshots in ${join(folder, 'snapshots')} are whole. To paint from them: ${againFrom(options)}`,
    );
    process.exitCode = 130;
    return;
  }
  const { report: painting, samples: pictures } = painted;
  const judgement = await judge(pictures, { classifier, dataset, folder });
  for (const text of verdict(judgement)) line.print(text);
  const seconds = await save({ painting, judgement });
  const show = (name: string): string => pc.cyan(relative('.', join(folder, name)));
  line.print(`done in ${duration(seconds)}. Look at`);
  line.print(
    `  ${show('samples.png')}     a row a class: a real picture, then samples with EMA ${painting.stds.map((std) => std.toFixed(2)).join(', ')}`,
  );
  line.print(`  ${show('neighbours.png')}  each sample, and the training picture most like it`);
  if (training) line.print(`  ${show('loss.svg')}        the loss over training`);
  line.print(`  ${show('snapshots')}       both averages, ${painting.snapshots} files`);
  line.print(`  ${show('summary.json')}    the numbers`);
}

function compilingNote({ backend }: QuickstartOptions): string {
  const isGpu = backend === 'webgpu' || backend.startsWith('gpujs');
  return isGpu ? '. The first step also compiles; for a device in software that is a minute' : '';
}

function trainedLine({ steps, images, heldOutRatio }: TrainingReport): string {
  const error =
    heldOutRatio === undefined
      ? 'no time to measure the held-out error'
      : `held-out error ${(100 * heldOutRatio).toFixed(0)}% of an untrained network's`;
  return `trained ${steps} steps, ${images} images; ${error}`;
}

/** The command that paints from the snapshots. */
function againFrom({ backend, out }: QuickstartOptions): string {
  const where = backend === 'wasm' ? '' : ` --backend ${backend}`;
  return `npm run quickstart -- --samples-only${where}${out === 'out/quickstart' ? '' : ` --out ${out}`}`;
}

/** Kept after the last block of samples: the classifier, the neighbours and their picture take most of it. */
const judgingMs = 2500;

/** Fails before any work where results could not be written. */
async function checkWritable(folder: string): Promise<void> {
  const probe = join(folder, '.writable');
  try {
    await writeFileAtomically(probe, '');
    await rm(probe);
  } catch (error) {
    const { cause, message } = error as Error;
    const reason = (cause as NodeJS.ErrnoException | undefined)?.code ?? message;
    throw new Error(`quickstart: cannot write to --out ${folder} (${reason}). Choose another folder`);
  }
}

try {
  await run(parseOptions(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`${pc.red('error')} ${(error as Error).message}\n`);
  process.exitCode = 1;
}
