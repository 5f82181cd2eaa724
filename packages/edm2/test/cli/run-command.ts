import { type Command, CommanderError } from 'commander';
import { vi } from 'vitest';
import { edm2Program } from '../../src/cli/program.ts';

/** What a command did. */
export interface Outcome {
  /** 0 done, 1 failed, 2 asked for wrongly. */
  readonly code: number;
  readonly stdout: string;
  /** What it complained of too. */
  readonly stderr: string;
}

/** Runs `edm2 ...` in this process. Ctrl-C handlers are taken off again. */
export async function runCommand(...args: string[]): Promise<Outcome> {
  const program = edm2Program();
  const every = (command: Command): Command[] => [command, ...command.commands.flatMap(every)];
  let [stdout, stderr] = ['', ''];
  const writeOut = (text: string | Uint8Array): boolean => {
    stdout += text;
    return true;
  };
  const writeErr = (text: string | Uint8Array): boolean => {
    stderr += text;
    return true;
  };
  for (const command of every(program)) {
    command.exitOverride().configureOutput({ writeOut, writeErr });
  }
  const out = vi.spyOn(process.stdout, 'write').mockImplementation(writeOut);
  const err = vi.spyOn(process.stderr, 'write').mockImplementation(writeErr);
  const handlers = new Map(
    (['SIGINT', 'SIGTERM', 'SIGUSR1'] as const).map((signal) => [signal, process.listeners(signal)]),
  );
  let code = 0;
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) code = error.exitCode === 0 ? 0 : 2;
    else {
      code = 1;
      stderr += (error as Error).message;
    }
  } finally {
    out.mockRestore();
    err.mockRestore();
    for (const [signal, before] of handlers) {
      for (const listener of process.listeners(signal)) if (!before.includes(listener)) process.off(signal, listener);
    }
  }
  return { code, stdout, stderr };
}
