import { describeKernel, type Plan, type ScratchItem } from '@evenkeel/tensor/kernel';
import { addBarrier, syncWords } from './barrier.ts';
import { emitKernel } from './emit-kernel.ts';
import { argumentsOffset, type EmittedKernel, type InstructionSet } from './emitted-kernel.ts';
import { type Callable, type Local, ModuleBuilder } from './encoder.ts';
import { MathFunctions } from './math.ts';
import { functionTexts } from './module-text.ts';
import { addRuntimeFunctions } from './runtime-functions.ts';
import { ByStructure } from './structure-key.ts';
import type { Tuning } from './tuning.ts';

const PAGES = 65_536;

/** A plan as the bytes of a module, and what its function `run` is to be given. */
export interface PlanModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Steps from ... to - 1 that threads run through without coming back, or one step of the host's. */
  readonly segments: readonly { readonly from: number; readonly to: number; readonly isHost: boolean }[];
  /** Where each step's table starts, and how many bytes all of them take. */
  readonly tableOffsets: readonly number[];
  readonly tableBytes: number;
  /** Counters of chunks, one for each phase of each step. */
  readonly counters: number;
  /** What one thread needs at most, and what all share at most: bytes, and for what. */
  readonly thread: ScratchItem;
  readonly shared: ScratchItem;
}

/** What kernels work in, where they do not say it themselves. */
const scratchNames = {
  row: 'kept values and partial sums',
  contraction: 'packed panels and partial sums',
  scatterAdd: 'work space',
  host: 'work space',
} as const;

/** Parameters of a module's `run`, in order, all i32. */
export interface RunParameters {
  readonly threads: number;
  /** Addresses: of the tables, of scratch memory of one thread and of all, of the meeting place, of the counters. */
  readonly tables: number;
  readonly own: number;
  readonly shared: number;
  readonly sync: number;
  readonly counters: number;
  readonly from: number;
  readonly to: number;
}

export const parameterOrder: readonly (keyof RunParameters)[] = [
  'threads',
  'tables',
  'own',
  'shared',
  'sync',
  'counters',
  'from',
  'to',
];

export interface EmitOptions {
  readonly instructions: InstructionSet;
  /** Whether 3 x 3 convolutions may be less exact. */
  readonly tolerant?: boolean;
  readonly tuning: Tuning;
  readonly threads: number;
  readonly shared: boolean;
  /** Whether each thread has a core: then threads look for each other a while before they sleep. */
  readonly spin: boolean;
  /** Is given the text of each kernel, and of what calls them. */
  readonly debug?: ((text: string) => void) | undefined;
}

export function emitPlan({ steps }: Plan, options: EmitOptions): PlanModule {
  const { instructions, tolerant = false, tuning, threads, shared, spin, debug } = options;
  const module = new ModuleBuilder();
  module.importMemory({ module: 'memory', name: 'memory', initial: 1, maximum: PAGES, shared });
  const runtime = addRuntimeFunctions(module);
  const barrier = addBarrier(module, spin ? {} : { turns: 0 });
  module.name(barrier, 'barrier', ['sync', 'threads']);
  const math = new MathFunctions(module, { fused: instructions !== 'plain' });
  const context = { module, runtime, math, instructions, tolerant, threads, ...tuning };
  const known = new ByStructure<EmittedKernel>();
  const emitted = steps.map(({ kernel }, step): EmittedKernel | undefined => {
    if (kernel.kind === 'host') return undefined;
    const before = known.get(kernel);
    if (before) return before;
    const from = module.functionCount;
    const made = emitKernel(kernel, context);
    known.set(kernel, made);
    made.phases.forEach(({ run }, i) => {
      module.name(run, `step${step}.phase${i}`, ['table', 'chunk', 'own', 'shared']);
    });
    debug?.(`;; step ${step}: ${describeKernel(kernel)}\n${functionTexts(module, from)}`);
    return made;
  });
  let tableBytes = 0;
  const tableOffsets = steps.map((step) => {
    const offset = tableBytes;
    tableBytes += argumentsOffset(step.operands.length) + 8 * step.arguments.length;
    return offset;
  });
  const from = module.functionCount;
  const counters = writeRun(module, emitted, tableOffsets, barrier);
  debug?.(`;; ${steps.length} steps, as each thread runs them\n${functionTexts(module, from)}`);
  const most = (bytesOf: (kernel: EmittedKernel) => number): ScratchItem => {
    const each = emitted.map((kernel) => (kernel ? bytesOf(kernel) : 0));
    const bytes = Math.max(0, ...each);
    const step = each.indexOf(bytes);
    const kernel = steps[step]?.kernel;
    if (bytes === 0 || !kernel) return { what: 'nothing', bytes };
    return {
      what: `${emitted[step]?.scratch ?? scratchNames[kernel.kind]} of step ${step} (${describeKernel(kernel)})`,
      bytes,
    };
  };
  return {
    bytes: module.toBytes(),
    segments: segmentsOf(emitted),
    tableOffsets,
    tableBytes,
    counters,
    thread: most(({ threadBytes }) => threadBytes),
    shared: most(({ sharedBytes }) => sharedBytes),
  };
}

/** The function that every thread runs: of each phase it takes chunks while there are any, and meets the others. */
function writeRun(
  module: ModuleBuilder,
  steps: readonly (EmittedKernel | undefined)[],
  tableOffsets: readonly number[],
  barrier: Callable,
): number {
  const f = module.function({ parameters: parameterOrder.map(() => 'i32') }, 'run');
  module.name(f, 'run', parameterOrder);
  const parameter = (name: keyof RunParameters): Local => f.parameters[parameterOrder.indexOf(name)] as Local;
  const chunk = f.local('i32');
  let counter = 0;
  steps.forEach((step, i) => {
    if (!step) return;
    f.i32(i).get(parameter('from')).op('i32.ge_s').i32(i).get(parameter('to')).op('i32.lt_s').op('i32.and');
    f.if(() => {
      f.get(parameter('sync')).i32(i).memory('i32.store', syncWords.step);
      for (const { chunks, run } of step.phases) {
        const offset = 4 * counter++;
        f.block((done) => {
          f.loop((again) => {
            f.get(parameter('counters')).i32(1).memory('i32.atomic.rmw.add', offset).tee(chunk);
            f.i32(chunks).op('i32.ge_u').brIf(done);
            f.get(parameter('sync')).memory('i32.atomic.load', syncWords.abort).brIf(done);
            f.get(parameter('tables'))
              .i32(tableOffsets[i] as number)
              .op('i32.add');
            f.get(chunk).get(parameter('own')).get(parameter('shared')).call(run).br(again);
          });
        });
        f.get(parameter('sync')).get(parameter('threads')).call(barrier);
      }
    });
  });
  return counter;
}

function segmentsOf(steps: readonly (EmittedKernel | undefined)[]): PlanModule['segments'] {
  const segments: { from: number; to: number; isHost: boolean }[] = [];
  steps.forEach((step, i) => {
    const last = segments.at(-1);
    const isHost = step === undefined;
    if (last && !isHost && !last.isHost) last.to = i + 1;
    else segments.push({ from: i, to: i + 1, isHost });
  });
  return segments;
}
