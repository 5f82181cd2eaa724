import { join } from 'node:path';
import { assertWritable, writeFileAtomically } from '@evenkeel/formats/node';
import { Command, Option } from 'commander';
import { type ToyClass, toyClasses } from '../../toy/fractal-tree.ts';
import { encodeToy } from '../../toy/toy-file.ts';
import { ToyTrainer } from '../../toy/toy-trainer.ts';
import { type BackendChoice, useBackend, withBackend } from '../backend.ts';
import { onInterrupt } from '../interrupt.ts';
import { printJson, progressBeside, withJson } from '../json-output.ts';
import { duration } from '../progress-line.ts';
import { TimeLeft } from '../time-left.ts';
import { drawPanels, panel, readToy, saveDrawing } from '../toy-pictures.ts';
import { flag, seedNumber, wholeNumber } from '../values.ts';

interface TrainOptions extends BackendChoice {
  readonly outdir: string;
  readonly cls: ToyClass;
  readonly layers: number;
  readonly dim: number;
  readonly viz: boolean;
  readonly steps: number;
  readonly batch: number;
  readonly seed: number;
  readonly json?: boolean;
}

/** Published guides are snapshots of this step. */
const snapshotSteps = 512;

/** `edm2 toy train`. */
export function toyTrainCommand(): Command {
  const command = new Command('train')
    .description('Trains a network on the classes, and saves the average of its weights.')
    .requiredOption('--outdir <folder>', 'where results go')
    .addOption(new Option('--cls <classes>', 'what is learned').choices(toyClasses).default('A'))
    .option('--layers <count>', 'hidden layers', wholeNumber, 4)
    .option('--dim <count>', 'features of a layer', wholeNumber, 64)
    .option('--viz <bool>', 'draw samples when done', flag, true)
    .option('--steps <count>', 'training steps', wholeNumber, 4096)
    .option('--batch <count>', 'points of a step', wholeNumber, 4096)
    .option('--seed <number>', 'fixes first weights and points', seedNumber, 0);
  return withJson(withBackend(command))
    .addHelpText(
      'after',
      `
Files: iter0000512.safetensors and so on, every ${snapshotSteps} steps and at the end; samples.svg, samples.png. Ctrl-C saves and stops.
The published sizes take some four minutes on two cores; these show the same in one:
  edm2 toy train --outdir=out/main --steps=2048 --batch=1024
  edm2 toy train --outdir=out/guide --steps=512 --batch=1024 --dim=32
  edm2 toy train --outdir=out/both --steps=512 --batch=1024 --dim=32 --cls=AB`,
    )
    .action(runTraining);
}

async function runTraining(options: TrainOptions): Promise<void> {
  const { outdir, cls, layers, dim, steps, batch, viz, json } = options;
  const line = progressBeside(json);
  const backend = await useBackend(options);
  line.print(`toy: class ${cls}, ${layers} layers of ${dim}, ${steps} steps of ${batch} points; ${backend}`);
  await assertWritable(join(outdir, 'samples.svg'));
  const time = new TimeLeft();
  using trainer = new ToyTrainer({ classes: cls, layers, dim, batchSize: batch, seed: options.seed });
  const signal = onInterrupt(line);
  const files: string[] = [];
  let loss = Number.NaN;
  while (trainer.steps < steps && !signal.aborted) {
    const step = await trainer.step();
    const isSnapshot = step.steps % snapshotSteps === 0 || step.steps === steps || signal.aborted;
    if (step.steps % 16 === 1 || isSnapshot) loss = await step.loss.item();
    if (isSnapshot) {
      const file = join(outdir, `iter${String(step.steps).padStart(7, '0')}.safetensors`);
      await writeFileAtomically(file, await encodeToy(trainer));
      files.push(file);
    }
    line.update(() => `step ${step.steps} of ${steps}, loss ${loss.toFixed(4)}, ${time.left(step.steps / steps)} left`);
  }
  if (viz && !signal.aborted) {
    const stored = await readToy(files.at(-1) as string);
    using net = stored.net;
    const onStep = ({ step, steps: all }: { step: number; steps: number }): void =>
      line.update(() => `sampling step ${step} of ${all}`);
    const figure = await drawPanels([await panel('samples', { ...stored, net }, { onStep })], cls);
    for (const name of ['samples.svg', 'samples.png']) {
      await saveDrawing(join(outdir, name), figure);
      files.push(join(outdir, name));
    }
  }
  if (json) printJson({ steps: trainer.steps, loss, files, seconds: time.seconds });
  else line.print(`${trainer.steps} steps in ${duration(time.seconds)}, loss ${loss.toFixed(4)}; ${files.at(-1)}`);
  if (signal.aborted) process.exitCode = 130;
}
