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
import { earlierTraining, lossChart, summary, verdict, withoutCurve } from './report.ts';
import { affordablePlan, fullPlan } from './sampling-plan.ts';
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
  const time = samplesOnly ? '' : `, about ${duration(minutes * 60)}`;
  line.print(`backend ${backend}${time}; Ctrl-C stops early and keeps what was saved`);

  const signal = onInterrupt(line);
  const deadline = start + minutes * 60_000;
  let training: TrainingReport | undefined;
  let plan = fullPlan;
  if (!samplesOnly) {
    training = await train({
      dataset,
      folder,
      seed,
      backend: options.backend,
      deadline,
      line,
      isStopped: () => signal.aborted,
    });
    const { steps, images, heldOutRatio } = training;
    line.print(
      `trained ${steps} steps, ${images} images; held-out error ${(100 * heldOutRatio).toFixed(0)}% of an untrained network's`,
    );
    await writeFileAtomically(join(folder, 'loss.svg'), lossChart(training));
    plan = affordablePlan(deadline - judgingMs - performance.now(), dataset.labelDim, training.imagesPerSecond);
  }
  const request = { dataset, folder, seed, plan, line, signal };
  const painted = await paint({
    ...request,
    deadline: samplesOnly ? Number.POSITIVE_INFINITY : deadline - judgingMs,
  }).catch((error: unknown) => {
    if (signal.aborted) return undefined;
    throw error;
  });
  if (painted === undefined) {
    line.print(
      `Stopped. The snapshots in ${join(folder, 'snapshots')} are whole. To paint from them: npm run quickstart -- --samples-only${folder === 'out/quickstart' ? '' : ` --out ${folder}`}`,
    );
    process.exitCode = 130;
    return;
  }
  const { report: painting, samples: pictures } = painted;
  const judgement = await judge(pictures, { classifier, dataset, folder });
  for (const text of verdict(judgement)) line.print(text);
  const seconds = (performance.now() - start) / 1000;
  const report = training ? withoutCurve(training) : await earlierTraining(folder);
  const parts = { options, backend, training: report, painting, judgement, seconds };
  await writeFileAtomically(join(folder, 'summary.json'), summary(parts));
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
