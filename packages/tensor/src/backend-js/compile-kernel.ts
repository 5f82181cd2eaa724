import type { Kernel } from '../kernel/ir.ts';
import type { HostArray } from '../types/dtype.ts';
import { BLOCK_MEMORY_BYTES, type BlockMemory, createBlockMemory } from './block-memory.ts';
import { linkContraction, lowerContraction } from './contraction.ts';
import { fractionsOfTwo, powersOfTwo } from './exponential.ts';
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

/** Most printed functions that a compiler remembers. */
const CAPACITY = 4096;

/** Turns kernels into functions; kernels that print alike share one. */
export class KernelCompiler {
  readonly interprets: boolean;
  readonly #functions = new Map<string, LoopFunction>();
  #memory: BlockMemory | undefined;

  constructor(options: { interpret?: boolean | undefined } = {}) {
    this.interprets = options.interpret ?? !canEvaluateSource();
  }

  /** Bytes that contractions work in; none before the first. */
  get memoryBytes(): number {
    return this.#memory ? BLOCK_MEMORY_BYTES : 0;
  }

  compile(kernel: Kernel): CompiledKernel {
    if (kernel.kind === 'host') {
      return { scratchLengths: [], run: (operands, given) => runHostStep(kernel, operands, given) };
    }
    const { run, scratchLengths } = this.#link(kernel);
    return {
      scratchLengths,
      run: (operands, given, workspace) => run(operands, given, workspace.take(scratchLengths), []),
    };
  }

  #link(kernel: Exclude<Kernel, { kind: 'host' }>): { run: LoopFunction; scratchLengths: readonly number[] } {
    switch (kernel.kind) {
      case 'row': {
        const { program, scratchLengths } = lowerRow(kernel);
        return { run: this.#functionOf(program), scratchLengths };
      }
      case 'contraction': {
        this.#memory ??= createBlockMemory({ interpret: this.interprets });
        const lowered = lowerContraction(kernel);
        const functions = {
          packRows: this.#functionOf(lowered.packRows),
          packColumns: this.#functionOf(lowered.packColumns),
          epilogue: this.#functionOf(lowered.epilogue),
        };
        return { run: linkContraction(lowered, functions, this.#memory), scratchLengths: [] };
      }
      case 'scatterAdd':
        return { run: this.#functionOf(lowerScatterAdd(kernel)), scratchLengths: [] };
    }
  }

  #functionOf(program: LoopProgram): LoopFunction {
    const { rows, columns, tiles } = this.#memory ?? {};
    const tables = { powers: powersOfTwo, fractions: fractionsOfTwo, ...(rows && { rows, columns, tiles }) };
    if (this.interprets) return interpretLoops(program, tables);
    const source = printLoops(program);
    let compiled = this.#functions.get(source);
    if (!compiled) {
      const oldest = this.#functions.keys().next();
      if (this.#functions.size >= CAPACITY && !oldest.done) this.#functions.delete(oldest.value);
      compiled = evaluateSource(source, tables);
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
  switch (kernel.kind) {
    case 'row':
      return printLoops(lowerRow(kernel).program);
    case 'contraction': {
      const { packRows, packColumns, epilogue } = lowerContraction(kernel);
      return [packRows, packColumns, epilogue].map(printLoops).join('\n\n');
    }
    case 'scatterAdd':
      return printLoops(lowerScatterAdd(kernel));
    case 'host':
      return `// ${kernel.name}: a function of the host's`;
  }
}
