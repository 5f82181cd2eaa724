import type { Command } from 'commander';
import { ProgressLine } from './progress-line.ts';

/** Gives a command the option to say what it did in a form for programs. */
export function withJson(command: Command): Command {
  return command.option('--json', 'print one line of JSON when done; progress goes to the standard error');
}

/** Where progress is shown: beside the JSON, if that is asked for. */
export function progressBeside(json: boolean | undefined): ProgressLine {
  return new ProgressLine(json ? process.stderr : process.stdout);
}

/** Prints a value as a line of JSON; what JSON has no number for is null. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
