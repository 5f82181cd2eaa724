import { Command } from 'commander';
import { convertCommand } from './commands/convert.ts';
import { datasetCommand } from './commands/dataset.ts';
import { flopsCommand } from './commands/flops.ts';
import { metricsCommand } from './commands/metrics.ts';
import { reconstructCommand } from './commands/reconstruct.ts';
import { sampleCommand } from './commands/sample.ts';
import { toyCommand } from './commands/toy.ts';
import { trainCommand } from './commands/train.ts';

/**
 * The `edm2` command, with everything it can do. Exit codes: 0 done, 1 failed, 2 asked for wrongly, 130 interrupted.
 */
export function edm2Program(): Command {
  const program = new Command('edm2')
    .description('Trains, samples and measures EDM2 diffusion networks.')
    .showHelpAfterError('(--help lists the options)')
    .configureHelp({ showGlobalOptions: true });
  const commands: Command[] = [
    trainCommand(),
    sampleCommand(),
    reconstructCommand(),
    metricsCommand(),
    datasetCommand(),
    convertCommand(),
    flopsCommand(),
    toyCommand(),
  ];
  for (const command of commands) program.addCommand(inheritSettings(command, program));
  return program;
}

function inheritSettings(command: Command, program: Command): Command {
  command.copyInheritedSettings(program).allowExcessArguments(false);
  for (const child of command.commands) inheritSettings(child, program);
  return command;
}
