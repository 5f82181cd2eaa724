import { readFile } from 'node:fs/promises';
import { Generator } from '@evenkeel/tensor';
import { Command, InvalidArgumentError } from 'commander';
import { fractalTree } from '../../toy/fractal-tree.ts';
import type { ToyPanel } from '../../toy/toy-figure.ts';
import { decodeToy } from '../../toy/toy-file.ts';
import { type BackendChoice, useBackend, withBackend } from '../backend.ts';
import { ProgressLine } from '../progress-line.ts';
import { drawPanels, panel, saveDrawing } from '../toy-pictures.ts';
import { numberIn, seedNumber, wholeNumber } from '../values.ts';

interface PlotOptions extends BackendChoice {
  readonly net: string;
  readonly gnet?: string;
  readonly guidance: number;
  readonly save: string;
  readonly count: number;
  readonly seed: number;
  readonly json?: boolean;
}

/** `edm2 toy plot`. */
export function toyPlotCommand(): Command {
  const command = new Command('plot')
    .description('Draws samples of a network, and with a guide those of both, beside the ground truth.')
    .requiredOption('--net <file>', "network, as 'edm2 toy train' saves it")
    .option('--gnet <file>', 'a worse network, to move away from')
    .option('--guidance <weight>', 'how far, 1 for not at all', numberIn(), 3)
    .option('--save <file>', 'picture, .svg or .png', pictureFile, 'toy.png')
    .option('--count <number>', 'points of a panel', wholeNumber, 4096)
    .option('--seed <number>', 'fixes the noise', seedNumber, 0)
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
  await useBackend(options);
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

function pictureFile(text: string): string {
  if (!/\.(svg|png)$/i.test(text)) throw new InvalidArgumentError('Give a name that ends in .svg or .png.');
  return text;
}
