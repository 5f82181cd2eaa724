import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { encodePng } from '@evenkeel/formats';
import { writeFileAtomically } from '@evenkeel/formats/node';
import { Generator } from '@evenkeel/tensor';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type Drawing, drawingToSvg } from '../../plot/drawing.ts';
import { drawingToRaster } from '../../plot/raster.ts';
import { fractalTree, type ToyClass, toyClasses } from '../../toy/fractal-tree.ts';
import { sampleToy } from '../../toy/sample-toy.ts';
import { type ToyPanel, toyFigure } from '../../toy/toy-figure.ts';
import { decodeToy, encodeToy, type StoredToy } from '../../toy/toy-file.ts';
import { ToyTrainer } from '../../toy/toy-trainer.ts';
import { type BackendChoice, useBackend, withBackend } from '../backend.ts';
import { onInterrupt } from '../interrupt.ts';
import { duration, ProgressLine } from '../progress-line.ts';
import { flag, numberIn } from '../values.ts';

/** `edm2 toy`: the two-dimensional example of the autoguidance paper. */
export function toyCommand(): Command {
  return new Command('toy')
    .description(
      'Two-dimensional example of autoguidance (arXiv 2406.02507): train small networks, plot their samples.',
    )
    .addCommand(trainCommand())
    .addCommand(plotCommand());
}

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

const wholeFrom = (least: number) => numberIn({ least, most: 2 ** 24, whole: true });
const seed = numberIn({ least: 0, most: Number.MAX_SAFE_INTEGER, whole: true });
/** Published guides are snapshots of this step. */
const snapshotSteps = 512;

function trainCommand(): Command {
  const command = new Command('train')
    .description('Trains a network on the classes, and saves the average of its weights.')
    .requiredOption('--outdir <folder>', 'where results go')
    .addOption(new Option('--cls <classes>', 'what is learned').choices(toyClasses).default('A'))
    .option('--layers <count>', 'hidden layers', wholeFrom(1), 4)
    .option('--dim <count>', 'features of a layer', wholeFrom(1), 64)
    .option('--viz <flag>', 'draw samples when done', flag, true)
    .option('--steps <count>', 'training steps', wholeFrom(1), 4096)
    .option('--batch <count>', 'points of a step', wholeFrom(1), 4096)
    .option('--seed <number>', 'fixes first weights and points', seed, 0)
    .option('--json', 'print one line of JSON when done, and nothing else');
  return withBackend(command)
    .addHelpText(
      'after',
      `
Files: iter0000512.safetensors and so on, every ${snapshotSteps} steps and at the end; samples.svg, samples.png. Ctrl-C saves and stops.
The published sizes take some four minutes on two cores; these show the same in one:
  $ edm2 toy train --outdir out/main --steps 2048 --batch 1024
  $ edm2 toy train --outdir out/guide --steps 512 --batch 1024 --dim 32
  $ edm2 toy train --outdir out/both --steps 512 --batch 1024 --dim 32 --cls AB`,
    )
    .action(runTraining);
}

async function runTraining(options: TrainOptions): Promise<void> {
  const { outdir, cls, layers, dim, steps, batch, viz, json } = options;
  const line = new ProgressLine(json ? process.stderr : process.stdout);
  const backend = useBackend(options);
  if (!json) line.print(`toy: class ${cls}, ${layers} layers of ${dim}, ${steps} steps of ${batch} points; ${backend}`);
  const start = performance.now();
  const seconds = () => (performance.now() - start) / 1000;
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
    if (!json) {
      line.update(() => {
        const left = duration((seconds() / step.steps) * (steps - step.steps));
        return `step ${step.steps} of ${steps}, loss ${loss.toFixed(4)}, ${left} left`;
      });
    }
  }
  if (viz && !signal.aborted) {
    const stored = decodeToy(await readFile(files.at(-1) as string), files.at(-1));
    using net = stored.net;
    const figure = await drawPanels([await panel('samples', { ...stored, net })], cls);
    for (const name of ['samples.svg', 'samples.png']) {
      await saveDrawing(join(outdir, name), figure);
      files.push(join(outdir, name));
    }
  }
  if (json) console.log(JSON.stringify({ steps: trainer.steps, loss, files, seconds: seconds() }));
  else line.print(`${trainer.steps} steps in ${duration(seconds())}, loss ${loss.toFixed(4)}; ${files.at(-1)}`);
  if (signal.aborted) process.exitCode = 130;
}

interface PlotOptions extends BackendChoice {
  readonly net: string;
  readonly gnet?: string;
  readonly guidance: number;
  readonly save: string;
  readonly count: number;
  readonly seed: number;
  readonly json?: boolean;
}

function plotCommand(): Command {
  const command = new Command('plot')
    .description('Draws samples of a network, and with a guide those of both, beside the ground truth.')
    .requiredOption('--net <file>', "network, as 'edm2 toy train' saves it")
    .option('--gnet <file>', 'a worse network, to move away from')
    .option('--guidance <weight>', 'how far, 1 for not at all', numberIn(), 3)
    .option('--save <file>', 'picture, .svg or .png', pictureFile, 'toy.png')
    .option('--count <number>', 'points of a panel', wholeFrom(1), 4096)
    .option('--seed <number>', 'fixes the noise', seed, 0)
    .option('--json', 'print one line of JSON when done, and nothing else');
  return withBackend(command)
    .addHelpText(
      'after',
      `
Examples:
  $ edm2 toy plot --net out/main/iter0002048.safetensors --save out/plain.png
  $ edm2 toy plot --net out/main/iter0002048.safetensors --gnet out/guide/iter0000512.safetensors --save out/auto.svg`,
    )
    .action(runPlot);
}

async function runPlot(options: PlotOptions): Promise<void> {
  const { guidance, save, json } = options;
  const line = new ProgressLine(json ? process.stderr : process.stdout);
  useBackend(options);
  const main = decodeToy(await readFile(options.net), options.net);
  const guide = options.gnet === undefined ? undefined : decodeToy(await readFile(options.gnet), options.gnet);
  const settings = {
    count: options.count,
    seed: options.seed,
    onStep: json
      ? undefined
      : ({ step, steps }: { step: number; steps: number }) => line.update(() => `sampling step ${step} of ${steps}`),
  };
  const data = fractalTree(main.classes);
  const truth = await data.sample(options.count, new Generator(options.seed).fork('truth')).data();
  const panels: ToyPanel[] = [
    { title: 'ground truth', points: truth, color: '#555555' },
    await panel('no guidance', main, settings),
  ];
  if (guide !== undefined) panels.push(await panel(`guidance ${guidance}`, main, { ...settings, guide, guidance }));
  await saveDrawing(save, await drawPanels(panels, main.classes));
  for (const stored of [main, guide]) stored?.net.dispose();
  if (json) console.log(JSON.stringify({ save, panels: panels.map(({ title }) => title) }));
  else line.print(save);
}

interface PanelSettings {
  readonly count?: number;
  readonly seed?: number;
  readonly guide?: StoredToy;
  readonly guidance?: number;
  readonly onStep?: ((progress: { step: number; steps: number }) => void) | undefined;
}

async function panel(title: string, { net }: StoredToy, settings: PanelSettings = {}): Promise<ToyPanel> {
  const { guide, onStep, ...rest } = settings;
  const points = await sampleToy(net, {
    ...rest,
    ...(guide === undefined ? {} : { guide: guide.net }),
    ...(onStep === undefined ? {} : { onStep }),
  });
  return { title, points };
}

function drawPanels(panels: readonly ToyPanel[], classes: ToyClass): Promise<Drawing> {
  const other = { A: 'B', B: 'A', AB: undefined } as const;
  const behind = other[classes];
  const view = classes === 'A' ? undefined : { left: -1.4, bottom: -1.4, side: 2.8 };
  return toyFigure(panels, {
    data: fractalTree(classes),
    ...(behind === undefined ? {} : { other: fractalTree(behind) }),
    ...(view === undefined ? {} : { view }),
  });
}

async function saveDrawing(file: string, drawing: Drawing): Promise<void> {
  const isSvg = extname(file).toLowerCase() === '.svg';
  await writeFileAtomically(file, isSvg ? drawingToSvg(drawing) : encodePng(drawingToRaster(drawing)));
}

function pictureFile(text: string): string {
  if (!/\.(svg|png)$/i.test(text)) throw new InvalidArgumentError('Give a name that ends in .svg or .png.');
  return text;
}
