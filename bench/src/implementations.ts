import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchOptions } from './options.ts';
import type { Command } from './process/implementation-process.ts';
import type { Task } from './work/task.ts';
import type { Work } from './work/work.ts';

type Kind = Task['kind'];

/** A library with a number of threads, not started yet. */
export interface Candidate {
  /** `evenkeel`, `pytorch-avx2`, `tfjs-wasm`: what results are filed under. */
  readonly name: string;
  readonly threads: number;
  readonly command: Command;
  /** Tasks that it is asked for; it may refuse some still. */
  readonly kinds: ReadonlySet<Kind>;
  readonly speed: RoughSpeed;
}

/** What it can do in a second, about, in 10^9 operations: what would take it very long is left out. */
export interface RoughSpeed {
  readonly forward: number;
  /** In the slower gradient of a convolution. */
  readonly gradient: number;
}

/** Where the bench finds its parts. */
export interface Places {
  /** The bench's folder. */
  readonly bench: string;
  /** Where its programs are built. */
  readonly programs: string;
}

/** Seconds that one run may take. */
const patience = 5;

export function isAffordable({ speed }: Candidate, { flops, task }: Work): boolean {
  // A third of a block's work is that of the gradient that is slow.
  if (task.kind === 'block') return flops / 3 / speed.gradient / 1e9 <= patience;
  const isGradient = task.kind === 'convolution' && task.role !== 'forward';
  return flops / (isGradient ? speed.gradient : speed.forward) / 1e9 <= patience;
}

const kernels: readonly Kind[] = ['sgemm', 'convolution', 'attention', 'elementwise'];
const networks: readonly Kind[] = ['block', 'train-step', 'sampling'];

/** A library other than ours. */
interface Peer {
  readonly name: string;
  readonly language: 'node' | 'python';
  readonly program: string;
  readonly given?: readonly string[];
  readonly kinds: readonly Kind[];
  readonly speed: RoughSpeed;
  readonly isThreaded: boolean;
  /** The npm package whose presence says that it is installed. */
  readonly npmPackage?: string;
}

const peers: readonly Peer[] = [
  {
    name: 'memcpy',
    language: 'node',
    program: 'memcpy',
    kinds: ['copy'],
    speed: { forward: 100, gradient: 100 },
    isThreaded: true,
  },
  {
    name: 'pytorch',
    language: 'python',
    program: 'pytorch.py',
    kinds: [...kernels, ...networks],
    speed: { forward: 50, gradient: 50 },
    isThreaded: true,
  },
  {
    name: 'openblas',
    language: 'python',
    program: 'openblas.py',
    kinds: ['sgemm'],
    speed: { forward: 50, gradient: 50 },
    isThreaded: true,
  },
  {
    name: 'tfjs-cpu',
    language: 'node',
    program: 'tfjs',
    given: ['cpu'],
    kinds: [...kernels, 'block'],
    speed: { forward: 0.06, gradient: 0.002 },
    isThreaded: false,
    npmPackage: '@tensorflow/tfjs-backend-cpu',
  },
  {
    name: 'tfjs-wasm',
    language: 'node',
    program: 'tfjs',
    given: ['wasm'],
    kinds: [...kernels, 'block'],
    speed: { forward: 2, gradient: 1 },
    isThreaded: false,
    npmPackage: '@tensorflow/tfjs-backend-wasm',
  },
  {
    name: 'jax-js',
    language: 'node',
    program: 'jax-js',
    kinds: [...kernels, 'block'],
    speed: { forward: 0.15, gradient: 0.1 },
    isThreaded: false,
    npmPackage: '@jax-js/jax',
  },
  {
    name: 'onnxruntime-web',
    language: 'node',
    program: 'onnxruntime',
    given: ['onnxruntime-web'],
    kinds: kernels,
    speed: { forward: 10, gradient: 10 },
    isThreaded: true,
    npmPackage: 'onnxruntime-web',
  },
  {
    name: 'onnxruntime-node',
    language: 'node',
    program: 'onnxruntime',
    given: ['onnxruntime-node'],
    kinds: kernels,
    speed: { forward: 30, gradient: 30 },
    isThreaded: true,
    npmPackage: 'onnxruntime-node',
  },
  {
    name: 'js-pytorch',
    language: 'node',
    program: 'js-pytorch',
    kinds: ['sgemm'],
    speed: { forward: 0.3, gradient: 0.3 },
    isThreaded: false,
    npmPackage: 'js-pytorch',
  },
];

/** Names that `--peers` takes. */
const peerNames: readonly string[] = peers.map(({ name }) => name).filter((name) => name !== 'memcpy');

/** Whether any of the peers asked for comes from npm. */
export function wantsNpmPeers(asked: readonly string[]): boolean {
  return peers.some(({ name, npmPackage }) => npmPackage !== undefined && isAsked(asked, name));
}

/** All that is to be measured, ours first; `skipped` has a line for each that is not there. */
export function candidates(options: BenchOptions, places: Places): { found: Candidate[]; skipped: string[] } {
  const unknown = options.peers.find((name) => !['all', 'none', ...peerNames].includes(name));
  if (unknown !== undefined)
    throw new Error(`bench: no peer is called '${unknown}'. There are ${peerNames.join(', ')}`);
  const found: Candidate[] = [];
  const skipped: string[] = [];
  for (const threads of options.threads) found.push(...ownCandidates(options, places, threads));
  const python = findPython(options.python, 'cpu');
  for (const peer of peers) {
    if (peer.name !== 'memcpy' && !isAsked(options.peers, peer.name)) continue;
    const missing = whyMissing(peer, places, python);
    if (missing !== undefined) {
      skipped.push(`${peer.name} is skipped: ${missing}`);
      continue;
    }
    for (const threads of peer.isThreaded ? options.threads : [1]) {
      const program =
        peer.language === 'python'
          ? join(places.bench, 'peers', peer.program)
          : `${join(places.programs, peer.program)}.mjs`;
      const command = {
        program: peer.language === 'python' ? (python as string) : process.execPath,
        arguments: [program, String(threads), ...(peer.given ?? [])],
        environment: { ...peerEnvironment, OMP_NUM_THREADS: String(threads), OPENBLAS_NUM_THREADS: String(threads) },
      };
      const candidate = { name: peer.name, threads, command, kinds: new Set(peer.kinds), speed: peer.speed };
      found.push(candidate);
      if (peer.language !== 'python') continue;
      for (const isa of options.peerIsa)
        found.push({ ...candidate, name: `${peer.name}-${isa}`, command: heldTo(command) });
    }
  }
  return { found, skipped };
}

/** PyTorch is much faster where freed memory is kept and not given back to the system at once. */
const peerEnvironment = { MALLOC_MMAP_MAX_: '0', MALLOC_TRIM_THRESHOLD_: '17179869184' };

/** Variables by which OpenBLAS, oneDNN and PyTorch's own kernels are told to use AVX2 at most. */
function heldTo(command: Command): Command {
  const environment = {
    ...command.environment,
    OPENBLAS_CORETYPE: 'Haswell',
    ONEDNN_MAX_CPU_ISA: 'AVX2',
    DNNL_MAX_CPU_ISA: 'AVX2',
    ATEN_CPU_CAPABILITY: 'avx2',
  };
  return { ...command, environment };
}

function ownCandidates({ node, instructions, browser }: BenchOptions, places: Places, threads: number): Candidate[] {
  const own = (name: string, program: string, instructionSet: string): Candidate => ({
    name,
    threads,
    command: { program, arguments: [join(places.programs, 'evenkeel.mjs'), String(threads), instructionSet] },
    kinds: new Set([...kernels, ...networks]),
    speed: { forward: Number.POSITIVE_INFINITY, gradient: Number.POSITIVE_INFINITY },
  });
  const inBrowser = (): Candidate => {
    const program = join(places.programs, 'chromium.mjs');
    return {
      ...own('evenkeel-chromium', process.execPath, 'best'),
      command: { program: process.execPath, arguments: [program, 'wasm', String(threads)] },
    };
  };
  return [
    own('evenkeel', process.execPath, 'best'),
    ...instructions.map((set) => own(`evenkeel-${set}`, process.execPath, set)),
    ...node.map((path) => own(`evenkeel-${nodeName(path)}`, path, 'best')),
    ...(browser ? [inBrowser()] : []),
  ];
}

/** `node24` */
function nodeName(path: string): string {
  const version = execFileSync(path, ['--version'], { encoding: 'utf8' });
  return `node${/^v(\d+)/.exec(version)?.[1] ?? version.trim()}`;
}

export function isAsked(asked: readonly string[], name: string): boolean {
  return asked.includes('all') || asked.includes(name);
}

function whyMissing(
  { language, name, npmPackage }: Peer,
  { bench }: Places,
  python: string | undefined,
): string | undefined {
  if (npmPackage !== undefined && !existsSync(join(bench, 'node_modules', npmPackage))) {
    return name === 'onnxruntime-node'
      ? 'it is not installed. Its install script downloads libraries, so that is left to you: npm install --prefix bench --no-save onnxruntime-node'
      : `${npmPackage} could not be installed`;
  }
  if (language === 'python' && python === undefined) {
    return 'no Python with torch was found. On Debian: apt-get install python3-torch; or give --python';
  }
  return undefined;
}

/** Programs that end well where there is torch, and where torch has a card. */
const pythonTests = {
  cpu: "import importlib.util as u, sys; sys.exit(u.find_spec('torch') is None)",
  cuda: 'import torch, sys; sys.exit(not torch.cuda.is_available())',
};

/** The first Python that has torch, on a card if asked for. */
export function findPython(given: string | undefined, on: keyof typeof pythonTests): string | undefined {
  const usual = given === undefined ? ['python3', '/usr/bin/python3'] : [given];
  return usual.find((path) => {
    try {
      execFileSync(path, ['-c', pythonTests[on]], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
}
