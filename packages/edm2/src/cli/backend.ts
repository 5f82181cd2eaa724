import { availableParallelism } from 'node:os';
import type { GpujsMode } from '@evenkeel/backend-gpujs';
import { wasm } from '@evenkeel/backend-wasm';
import { type Backend, createJsBackend, setBackend } from '@evenkeel/tensor';
import { type Command, Option } from 'commander';
import { openGpujs, openWebgpu } from './gpu-backends.ts';
import { numberIn } from './values.ts';

/** WebGL is for browsers alone. */
const gpujsModes = ['webgpu', 'headlessgl', 'webasm', 'cpu'] as const satisfies readonly GpujsMode[];

/** What can compute in Node; gpu.js may be told how. */
export type BackendName = 'wasm' | 'js' | 'webgpu' | 'gpujs' | `gpujs:${(typeof gpujsModes)[number]}`;

const names: readonly BackendName[] = [
  'wasm',
  'js',
  'webgpu',
  'gpujs',
  ...gpujsModes.map((mode) => `gpujs:${mode}` as const),
];

/** Where a command computes. */
export interface BackendChoice {
  readonly backend: BackendName;
  /** @defaultValue all cores */
  readonly threads?: number;
}

/** The option `--backend`. */
export function backendOption(): Option {
  return new Option('--backend <name>', 'where it is computed').choices(names).default('wasm');
}

/** Gives a command the options of {@link BackendChoice}. */
export function withBackend(command: Command): Command {
  return command
    .addOption(backendOption())
    .option(
      '--threads <count>',
      'threads of the wasm backend (default: all cores)',
      numberIn({ least: 1, most: 256, whole: true }),
    );
}

/** A backend, and what it is, for people. */
export interface OpenedBackend {
  readonly backend: Backend;
  readonly description: string;
}

/** @throws one line, when what it needs is not there. */
export async function openBackend({ backend: name, threads }: BackendChoice): Promise<OpenedBackend> {
  if (name === 'js') {
    return { backend: createJsBackend(), description: `js (one thread of ${availableParallelism()})` };
  }
  if (name === 'webgpu') {
    const backend = await openWebgpu();
    return { backend, description: `webgpu (${backend.device})` };
  }
  if (name !== 'wasm') {
    const [, mode] = name.split(':') as [string, GpujsMode?];
    const backend = await openGpujs(mode);
    return { backend, description: backend.describe() };
  }
  // Node 20 has fused multiply-add behind a flag of V8, for the whole process: this process is ours.
  const backend = wasm({ experimental: true, ...(threads === undefined ? {} : { threads }) });
  const { capabilities, instructions } = backend;
  return {
    backend,
    description: `wasm (${capabilities.threads} threads, ${instructions} instructions; V8's experimental flags asked for)`,
  };
}

/** Makes a backend the current one, and says what it is. */
export async function useBackend(choice: BackendChoice): Promise<string> {
  const { backend, description } = await openBackend(choice);
  setBackend(backend);
  return description;
}
