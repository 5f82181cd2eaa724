import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Candidate, findPython, isAsked, type Places } from '../implementations.ts';
import type { BenchOptions } from '../options.ts';
import type { Task } from '../work/task.ts';

type Kind = Task['kind'];

const kernels: readonly Kind[] = ['sgemm', 'elementwise', 'attention', 'chain', 'block'];
const ownKinds: readonly Kind[] = [...kernels, 'train-step', 'sampling', 'host-time'];

interface GpuLibrary {
  readonly name: string;
  /** `<program>.mjs`, `browser/pages/<program>.ts` in Chromium, or a program in Python. */
  readonly runs: 'node' | 'page' | 'python';
  readonly program: string;
  readonly given: readonly string[];
  readonly kinds: readonly Kind[];
  /** The npm package whose presence says that it is installed. */
  readonly npmPackage?: string;
}

const ours: readonly GpuLibrary[] = [
  { name: 'evenkeel-webgpu', runs: 'node', program: 'gpu', given: ['webgpu'], kinds: ownKinds },
  { name: 'evenkeel-gpujs', runs: 'node', program: 'gpu', given: ['gpujs-webgpu'], kinds: ownKinds },
  { name: 'evenkeel-webgpu-chromium', runs: 'page', program: 'evenkeel-gpu', given: ['webgpu'], kinds: ownKinds },
  {
    name: 'evenkeel-gpujs-webgl2-chromium',
    runs: 'page',
    program: 'evenkeel-gpu',
    given: ['gpujs-webgl2'],
    kinds: ownKinds,
  },
];

const peers: readonly GpuLibrary[] = [
  { name: 'webgpu-copy', runs: 'node', program: 'gpu-copy', given: [], kinds: ['copy'] },
  {
    name: 'pytorch-cuda',
    runs: 'python',
    program: 'pytorch.py',
    given: ['1', 'cuda'],
    kinds: [...kernels, 'copy', 'train-step', 'sampling'],
  },
  {
    name: 'jax-js-webgpu',
    runs: 'node',
    program: 'jax-js',
    given: ['1', 'webgpu'],
    kinds: kernels,
    npmPackage: '@jax-js/jax',
  },
  {
    name: 'tfjs-webgpu',
    runs: 'node',
    program: 'tfjs',
    given: ['1', 'webgpu'],
    kinds: kernels,
    npmPackage: '@tensorflow/tfjs-backend-webgpu',
  },
  {
    name: 'jax-js-webgpu-chromium',
    runs: 'page',
    program: 'jax-js',
    given: [],
    kinds: kernels,
    npmPackage: '@jax-js/jax',
  },
  {
    name: 'tfjs-webgpu-chromium',
    runs: 'page',
    program: 'tfjs',
    given: ['webgpu'],
    kinds: kernels,
    npmPackage: '@tensorflow/tfjs-backend-webgpu',
  },
  {
    name: 'tfjs-webgl-chromium',
    runs: 'page',
    program: 'tfjs',
    given: ['webgl'],
    kinds: kernels,
    npmPackage: '@tensorflow/tfjs-backend-webgl',
  },
];

/** Whether any of the peers asked for comes from npm. */
export function wantsNpmGpuPeers(asked: readonly string[]): boolean {
  return peers.some(({ name, npmPackage }) => npmPackage !== undefined && isAsked(asked, name));
}

/** What graphics cards are measured with, ours first; `skipped` has a line for each that is not there. */
export function gpuCandidates(options: BenchOptions, places: Places): { found: Candidate[]; skipped: string[] } {
  const names = peers.map(({ name }) => name);
  const unknown = options.peers.find((name) => !['all', 'none', ...names].includes(name));
  if (unknown !== undefined)
    throw new Error(`bench: no peer is called '${unknown}'. With --gpu there are ${names.join(', ')}`);
  const own = ours.filter(({ name }) => options.plugins.some((plugin) => name.startsWith(`evenkeel-${plugin}`)));
  if (own.length === 0) throw new Error('bench: --plugins names none of webgpu, gpujs');
  const asked = peers.filter(({ name }) => isAsked(options.peers, name));
  const found: Candidate[] = [];
  const skipped: string[] = [];
  for (const library of [...own, ...asked]) {
    const { name, runs, program, given, kinds, npmPackage } = library;
    if (runs === 'page' && !options.browser) continue;
    const python = runs === 'python' ? findPython(options.python, 'cuda') : undefined;
    if (npmPackage !== undefined && !existsSync(join(places.bench, 'node_modules', npmPackage))) {
      skipped.push(`${name} is skipped: ${npmPackage} could not be installed`);
    } else if (runs === 'python' && python === undefined) {
      skipped.push(`${name} is skipped: no Python with torch and a card was found. Or give --python`);
    } else {
      found.push({ name, threads: 1, kinds: new Set(kinds), speed: unlimited, command: command() });
    }

    function command(): Candidate['command'] {
      if (runs === 'python') {
        return { program: python as string, arguments: [join(places.bench, 'peers', program), ...given] };
      }
      const script = (of: string) => join(places.programs, `${of}.mjs`);
      const rest = runs === 'page' ? [script('chromium'), program] : [script(program)];
      return { program: process.execPath, arguments: [...rest, ...given] };
    }
  }
  return { found, skipped };
}

/** Works have sizes that all can do in time. */
const unlimited = { forward: Number.POSITIVE_INFINITY, gradient: Number.POSITIVE_INFINITY };
