import { assertWritable } from '@evenkeel/formats/node';
import { Generator } from '@evenkeel/tensor';
import { Command } from 'commander';
import { fractalTree } from '../../toy/fractal-tree.ts';
import type { ToyPanel } from '../../toy/toy-figure.ts';
import { type BackendChoice, useBackend, withBackend } from '../backend.ts';
import { printJson, progressBeside, withJson } from '../json-output.ts';
import { drawPanels, panel, readToy, saveDrawing } from '../toy-pictures.ts';
import { fileEndingIn, numberIn, seedNumber, wholeNumber } from '../values.ts';

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
    .option('--save <file>', 'picture, .svg or .png', fileEndingIn('.svg', '.png'), 'toy.png')
    .option('--count <number>', 'points of a panel', wholeNumber, 4096)
    .option('--seed <number>', 'fixes the noise', seedNumber, 0);
  return withJson(withBackend(command))
    .addHelpText(
      'after',
      `
Examples:
  edm2 toy plot --net=out/main/iter0002048.safetensors --save=out/plain.png
  edm2 toy plot --net=out/main/iter0002048.safetensors --gnet=out/guide/iter0000512.safetensors --save=out/auto.svg`,
    )
    .action(runPlot);
}

async function runPlot(options: PlotOptions): Promise<void> {
  const { guidance, save, json } = options;
  const line = progressBeside(json);
  await useBackend(options);
  await assertWritable(save);
  const main = await readToy(options.net);
  const guide = options.gnet === undefined ? undefined : await readToy(options.gnet);
  const settings = {
    count: options.count,
    seed: options.seed,
    onStep({ step, steps }: { step: number; steps: number }) {
      line.update(() => `sampling step ${step} of ${steps}`);
    },
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
  if (json) printJson({ save, panels: panels.map(({ title }) => title) });
  else line.print(save);
}
