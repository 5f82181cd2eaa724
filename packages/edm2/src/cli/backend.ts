import { availableParallelism } from 'node:os';
import { wasm } from '@evenkeel/backend-wasm';
import { createJsBackend, setBackend } from '@evenkeel/tensor';
import { type Command, Option } from 'commander';
import { openWebgpu } from './open-webgpu.ts';
import { numberIn } from './values.ts';

/** Where a command computes. */
export interface BackendChoice {
  readonly backend: 'wasm' | 'webgpu' | 'js';
  /** @defaultValue all cores */
  readonly threads?: number;
}

/** Gives a command the options of {@link BackendChoice}. */
export function withBackend(command: Command): Command {
  return command
    .addOption(new Option('--backend <name>', 'where it is computed').choices(['wasm', 'webgpu', 'js']).default('wasm'))
    .option(
      '--threads <count>',
      'threads of the wasm backend (default: all cores)',
      numberIn({ least: 1, most: 256, whole: true }),
    );
}

/** Makes a backend the current one, and says what it is. */
export async function useBackend({ backend: name, threads }: BackendChoice): Promise<string> {
  if (name === 'webgpu') {
    const backend = await openWebgpu();
    setBackend(backend);
    return `webgpu (${backend.device})`;
  }
  if (name === 'js') {
    setBackend(createJsBackend());
    return `js (one thread of ${availableParallelism()})`;
  }
  // Node 20 has fused multiply-add behind a flag of V8, for the whole process: this process is ours.
  const backend = wasm({ experimental: true, ...(threads === undefined ? {} : { threads }) });
  setBackend(backend);
  return `wasm (${backend.capabilities.threads} threads, ${backend.instructions} instructions; V8's experimental flags asked for)`;
}
