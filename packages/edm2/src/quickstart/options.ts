import { Command, InvalidArgumentError } from 'commander';
import { type BackendChoice, backendOption } from '../cli/backend.ts';

/** What the quickstart was asked to do. */
export interface QuickstartOptions {
  /** Wall time for everything, in minutes. */
  readonly minutes: number;
  readonly seed: number;
  /** Folder for pictures, curves and snapshots. */
  readonly out: string;
  readonly backend: BackendChoice['backend'];
  /** Only reconstruct and sample, from the snapshots in `out`. */
  readonly samplesOnly: boolean;
}

function numberOf(name: string, { least, whole = false }: { least: number; whole?: boolean }) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value) || value < least || (whole && !Number.isSafeInteger(value))) {
      const range = whole ? `whole number from ${least} to ${Number.MAX_SAFE_INTEGER}` : `number of at least ${least}`;
      throw new InvalidArgumentError(`${name} must be a ${range}.`);
    }
    return value;
  };
}

/** Reads the command line; prints help or a one-line error and exits where there is nothing to do. */
export function parseOptions(argv: readonly string[]): QuickstartOptions {
  const command = new Command('quickstart')
    .description('Trains a small EDM2 network on 16x16 emoji and paints new ones, class by class.')
    .option('--minutes <number>', 'wall time for all of it', numberOf('--minutes', { least: 0.2 }), 5)
    .option(
      '--seed <number>',
      'fixes weights, noise and the order of images',
      numberOf('--seed', { least: 0, whole: true }),
      0,
    )
    .option('--out <folder>', 'where results go', 'out/quickstart')
    .addOption(backendOption())
    .option('--samples-only', 'do not train: paint from the snapshots in the folder', false)
    .allowExcessArguments(false)
    .configureOutput({
      outputError: (text, write) =>
        write(`${text.trim().replaceAll('\n', ' ').replace(/\.?$/, '.')} --help lists the options\n`),
    })
    .parse([...argv], { from: 'user' });
  return command.opts<QuickstartOptions>();
}
