import { Command } from 'commander';
import { toyPlotCommand } from './toy-plot.ts';
import { toyTrainCommand } from './toy-train.ts';

/** `edm2 toy`: the two-dimensional example of the autoguidance paper. */
export function toyCommand(): Command {
  return new Command('toy')
    .description(
      'Two-dimensional example of autoguidance (arXiv 2406.02507): train small networks, plot their samples.',
    )
    .addCommand(toyTrainCommand())
    .addCommand(toyPlotCommand());
}
