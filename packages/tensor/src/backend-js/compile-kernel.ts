import type { Contraction, Kernel } from '../kernel/ir.ts';
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
import { linkWinograd, lowerWinograd, type WinogradParts } from './winograd.ts';
import { winogradShape } from './winograd-shape.ts';
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
      case 'contraction':
        this.#memory ??= createBlockMemory({ interpret: this.interprets });
        return { run: this.#contraction(kernel, this.#memory), scratchLengths: [] };
      case 'scatterAdd':
        return { run: this.#functionOf(lowerScatterAdd(kernel)), scratchLengths: [] };
    }
  }

  #contraction(kernel: Contraction, memory: BlockMemory): LoopFunction {
    const shape = winogradShape(kernel);
    if (!shape) return this.#plainContraction(kernel, memory);
    const parts = Object.entries(lowerWinograd(kernel, shape)).map(([name, program]) => [
      name,
      this.#functionOf(program),
    ]);
    let plain: LoopFunction | undefined;
    const fallBack: LoopFunction = (...call) => {
      plain ??= this.#plainContraction(kernel, memory);
      plain(...call);
    };
    return linkWinograd(kernel, shape, Object.fromEntries(parts) as WinogradParts<LoopFunction>, memory, fallBack);
  }

  #plainContraction(kernel: Contraction, memory: BlockMemory): LoopFunction {
    const lowered = lowerContraction(kernel);
    const functions = {
      packRows: this.#functionOf(lowered.packRows),
      packColumns: this.#functionOf(lowered.packColumns),
      epilogue: this.#functionOf(lowered.epilogue),
    };
    return linkContraction(lowered, functions, memory);
  }

  #functionOf(program: LoopProgram): LoopFunction {
    const { multiply, ...memory } = this.#memory ?? {};
    const tables = { powers: powersOfTwo, fractions: fractionsOfTwo, ...memory };
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
 * const axis: Index = { kind: 'axis', axis: 0 };
 * const value: Expr = { kind: 'load', dtype: 'float32', operand: 0, index: axis, guards: [] };
 * const negated: Expr = { kind: 'unary', dtype: 'float32', op: 'neg', operand: value };
 * const run = compileKernel({
 *   kind: 'row',
 *   operands: [{ dtype: 'float32', access: 'in' }, { dtype: 'float32', access: 'out' }],
 *   arguments: [],
 *   outer: [3],
 *   inner: [],
 *   stages: [{ kind: 'store', domain: 'row', store: { operand: 1, index: axis, value: negated } }],
 * });
 * const [x, y] = [new Float32Array([1, 2, 3]), new Float32Array(3)];
 * await run([x, y], new Float64Array(0));
 * y; // Float32Array [-1, -2, -3]
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
      const shape = winogradShape(kernel);
      if (shape) return Object.values(lowerWinograd(kernel, shape)).map(printLoops).join('\n\n');
      const { packRows, packColumns, epilogue } = lowerContraction(kernel);
      return [packRows, packColumns, epilogue].map(printLoops).join('\n\n');
    }
    case 'scatterAdd':
      return printLoops(lowerScatterAdd(kernel));
    case 'host':
      return `// ${kernel.name}: a function of the host's`;
  }
}
