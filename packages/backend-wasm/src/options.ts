import type { InstructionSet } from './emitted-kernel.ts';
import { MEMORY_BYTES } from './host-memory.ts';
import type { Tuning } from './tuning.ts';

/** How a WebAssembly backend works. */
export interface WasmOptions {
  /**
   * Worker threads, 1 to 256. Default: as many as the machine has cores. Where memory is not shared there is one,
   * whatever is asked for.
   */
  readonly threads?: number;
  /**
   * Whether the threads share one memory. Default: where that is possible, which in a browser means a page that is
   * cross-origin isolated, so served with the headers `Cross-Origin-Opener-Policy: same-origin` and
   * `Cross-Origin-Embedder-Policy: require-corp`. Without, one worker has the memory and does all the work.
   */
  readonly shared?: boolean;
  /** Most bytes of buffers and scratch together, 1 MiB to 4 GiB. Default 4 GiB. What needs more fails before it allocates. */
  readonly memoryBytes?: number;
  /**
   * Instructions to use: `plain` multiplies and adds, `relaxed` fuses the two, `wide` pairs fused ones so that V8 makes
   * 256-bit instructions of them. Default: the best that runs here. Results of different ones differ in rounding.
   */
  readonly instructions?: InstructionSet;
  /**
   * Computes 3 x 3 convolutions four by four outputs at a time: a third to a half faster, with errors of some 1e-5 of the
   * largest results instead of 1e-6, and a NaN or an infinity makes NaN of the four by four outputs that it belongs to.
   * Default false.
   */
  readonly fastConvolutions?: boolean;
  /**
   * Turn on experimental flags of V8 that make more instructions available, for the whole process. Default false. In
   * browsers it does nothing.
   */
  readonly experimental?: boolean;
  /**
   * What is else measured when the first plan is compiled, in a few milliseconds: sizes of tiles and chunks. No result
   * depends on it.
   */
  readonly tuning?: Tuning;
  /**
   * Shows what is written for each kernel, in the text format of WebAssembly, when a plan is compiled: `true` prints
   * it, a function is given it kernel by kernel. Default false.
   */
  readonly debug?: boolean | ((text: string) => void);
}

/** Options as they are used, all of them known. */
export interface Settings {
  readonly threads: number;
  readonly shared: boolean;
  readonly memoryBytes: number;
  readonly instructions: InstructionSet | undefined;
  readonly fastConvolutions: boolean;
  readonly experimental: boolean;
  readonly tuning: Tuning | undefined;
  readonly debug: ((text: string) => void) | undefined;
}

const MEMORY_AT_LEAST = 2 ** 20;
const THREADS_AT_MOST = 256;
const instructionSets: readonly InstructionSet[] = ['plain', 'relaxed', 'wide'];

/** @throws with what is wrong with an option, and what it may be. */
export function settle(options: WasmOptions): Settings {
  const { threads, shared, memoryBytes = MEMORY_BYTES, instructions, debug = false } = options;
  const { fastConvolutions = false, experimental = false } = options;
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= THREADS_AT_MOST)) {
    throw wrong('threads', threads, `a whole number from 1 to ${THREADS_AT_MOST}, or leave it out for all cores`);
  }
  for (const [option, value] of Object.entries({ shared, fastConvolutions, experimental })) {
    if (value !== undefined && typeof value !== 'boolean') throw wrong(option, value, 'true or false');
  }
  if (typeof debug !== 'boolean' && typeof debug !== 'function') {
    throw wrong('debug', debug, 'true, false, or a function that is given the text');
  }
  if (shared && !canShare()) {
    throw new Error(
      'wasm: shared is true, but this page cannot share memory between threads: it is not cross-origin isolated. Serve it with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp, or leave `shared` out',
    );
  }
  if (!(memoryBytes >= MEMORY_AT_LEAST && memoryBytes <= 2 ** 32)) {
    throw wrong(
      'memoryBytes',
      memoryBytes,
      'a number of bytes from 1 MiB (2 ** 20) to 4 GiB (2 ** 32), all that addresses reach',
    );
  }
  if (instructions !== undefined && !instructionSets.includes(instructions)) {
    throw wrong('instructions', instructions, instructionSets.map((name) => `'${name}'`).join(', '));
  }
  const isShared = shared ?? canShare();
  return {
    threads: isShared ? (threads ?? cores()) : 1,
    shared: isShared,
    memoryBytes: Math.min(Math.floor(memoryBytes), MEMORY_BYTES),
    instructions,
    fastConvolutions,
    experimental,
    tuning: options.tuning,
    debug: typeof debug === 'function' ? debug : debug ? (text) => console.log(text) : undefined,
  };
}

function wrong(option: string, value: unknown, allowed: string): Error {
  const given = typeof value === 'string' ? `'${value}'` : String(value);
  return new Error(`wasm: ${option} is ${given}. It must be ${allowed}`);
}

/** Browsers let pages share memory that are isolated from other origins; they say so. Elsewhere nobody says it is not so. */
function canShare(): boolean {
  return (
    typeof SharedArrayBuffer === 'function' &&
    (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated !== false
  );
}

/** Browsers and newer Nodes say it in `navigator`; Node 20 only in its own module, which a page must not import. */
export function cores(): number {
  const os = globalThis.process?.getBuiltinModule?.('node:os');
  return os?.availableParallelism() ?? globalThis.navigator?.hardwareConcurrency ?? 2;
}
