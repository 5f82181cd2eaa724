import type { Kernel } from '../kernel/ir.ts';
import type { HostArray } from '../types/dtype.ts';
import { lowerContraction } from './contraction.ts';
import { runHostStep } from './host-step.ts';
import { interpretLoops } from './interpret.ts';
import type { LoopFunction, LoopProgram } from './loops.ts';
import { canEvaluateSource, evaluateSource, printLoops } from './print.ts';
import { lowerRow } from './row.ts';
import { lowerScatterAdd } from './scatter.ts';
import { Workspace } from './workspace.ts';

/** A kernel ready to run on host arrays. */
export interface CompiledKernel {
  /** Lengths of the scratch arrays it needs. */
  readonly scratchLengths: readonly number[];
  run(operands: readonly HostArray[], given: Float64Array, workspace: Workspace): void | Promise<void>;
}

interface Lowered {
  readonly programs: readonly LoopProgram[];
  readonly scratchLengths: readonly number[];
  link(functions: readonly LoopFunction[]): LoopFunction;
}

const alone = ([only]: readonly LoopFunction[]): LoopFunction => only as LoopFunction;

function lower(kernel: Exclude<Kernel, { kind: 'host' }>): Lowered {
  switch (kernel.kind) {
    case 'row': {
      const { program, scratchLengths } = lowerRow(kernel);
      return { programs: [program], scratchLengths, link: alone };
    }
    case 'contraction':
      return lowerContraction(kernel);
    case 'scatterAdd':
      return { programs: [lowerScatterAdd(kernel)], scratchLengths: [], link: alone };
  }
}

/** Most printed functions that a compiler remembers. */
const CAPACITY = 4096;

/** Turns kernels into functions; kernels that print alike share one. */
export class KernelCompiler {
  readonly interprets: boolean;
  readonly #functions = new Map<string, LoopFunction>();

  constructor(options: { interpret?: boolean | undefined } = {}) {
    this.interprets = options.interpret ?? !canEvaluateSource();
  }

  compile(kernel: Kernel): CompiledKernel {
    if (kernel.kind === 'host') {
      return { scratchLengths: [], run: (operands, given) => runHostStep(kernel, operands, given) };
    }
    const { programs, scratchLengths, link } = lower(kernel);
    const run = link(programs.map((program) => this.#functionOf(program)));
    return {
      scratchLengths,
      run: (operands, given, workspace) => run(operands, given, workspace.take(scratchLengths), []),
    };
  }

  #functionOf(program: LoopProgram): LoopFunction {
    if (this.interprets) return interpretLoops(program);
    const source = printLoops(program);
    let compiled = this.#functions.get(source);
    if (!compiled) {
      const oldest = this.#functions.keys().next();
      if (this.#functions.size >= CAPACITY && !oldest.done) this.#functions.delete(oldest.value);
      compiled = evaluateSource(source);
      this.#functions.set(source, compiled);
    }
    return compiled;
  }
}

/**
 * One kernel as a function of host arrays, in the order of its operands, and its launch arguments.
 * Host steps return a promise.
 *
 * @example
 * const run = compileKernel(kernel);
 * await run([x, y], new Float64Array(0));
 */
export function compileKernel(
  kernel: Kernel,
  options: { interpret?: boolean } = {},
): (operands: readonly HostArray[], given: Float64Array) => void | Promise<void> {
  const compiled = new KernelCompiler(options).compile(kernel);
  const workspace = new Workspace();
  return (operands, given) => compiled.run(operands, given, workspace);
}

/** The JavaScript that a kernel becomes, to read: a function each for rows and scatters, three for contractions. */
export function printKernel(kernel: Kernel): string {
  if (kernel.kind === 'host') return `// ${kernel.name}: a function of the host's`;
  return lower(kernel).programs.map(printLoops).join('\n\n');
}
