import { createJsBackend, type DType } from '@evenkeel/tensor';
import type { Contraction, Plan } from '@evenkeel/tensor/kernel';
import { emitContraction } from '../../src/contraction/contraction.ts';
import type { Tile } from '../../src/contraction/tile.ts';
import { argumentsOffset, type EmittedKernel, type InstructionSet } from '../../src/emitted-kernel.ts';
import { ModuleBuilder } from '../../src/encoder.ts';
import type { KernelContext } from '../../src/kernel-context.ts';
import { MathFunctions } from '../../src/math.ts';
import { addRuntimeFunctions } from '../../src/runtime-functions.ts';

type Values = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;
export type HostValues = readonly Values[];

const align = (bytes: number): number => Math.ceil(bytes / 64) * 64;

export interface Prepared {
  readonly emitted: EmittedKernel;
  readonly bytes: number;
  readonly outputs: () => Values[];
  run(): void;
}

/** A kernel as a module of its own with all operands in memory, and a run of it on one thread. */
export function prepare(
  kernel: Contraction,
  operands: HostValues,
  {
    instructions = 'plain',
    threads = 1,
    given = [],
    tile,
    tolerant = false,
  }: {
    instructions?: InstructionSet;
    threads?: number;
    given?: number[];
    tile?: Tile;
    tolerant?: boolean;
  } = {},
): Prepared {
  const pages = 16384;
  const module = new ModuleBuilder();
  module.importMemory({ module: 'env', name: 'memory', initial: 1, maximum: pages, shared: true });
  const runtime = addRuntimeFunctions(module);
  const math = new MathFunctions(module);
  const context: KernelContext = { module, runtime, math, instructions, threads, tolerant, ...(tile && { tile }) };
  const emitted = emitContraction(kernel, context);
  const names = emitted.phases.map((_, i) => `phase${i}`);
  emitted.phases.forEach(({ run }, i) => {
    const f = module.function({ parameters: ['i32', 'i32', 'i32', 'i32'] }, names[i] as string);
    for (const parameter of f.parameters) f.get(parameter);
    f.call(run);
  });
  const bytes = module.toBytes();
  if (!WebAssembly.validate(bytes)) throw new Error(`module is not valid: ${reasonOf(bytes)}`);

  let end = 4096;
  const place = (size: number): number => {
    const start = end;
    end = align(end + size);
    return start;
  };
  const table = place(argumentsOffset(operands.length) + 8 * given.length);
  const addresses = operands.map((values) => place(values.byteLength));
  const thread = place(emitted.threadBytes);
  const shared = place(emitted.sharedBytes);
  const memory = new WebAssembly.Memory({ initial: Math.ceil((end + 65536) / 65536), maximum: pages, shared: true });
  // What is read before it is written shows.
  new Float32Array(memory.buffer, thread, (end - thread) / 4).fill(Number.NaN);
  new Int32Array(memory.buffer, table).set(addresses);
  new Float64Array(memory.buffer, table + argumentsOffset(operands.length)).set(given);
  const views = operands.map((values, i) => {
    const View = values.constructor as new (buffer: ArrayBufferLike, offset: number, length: number) => Values;
    const view = new View(memory.buffer, addresses[i] as number, values.length);
    (view as Float32Array).set(values as Float32Array);
    return view;
  });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    env: { memory },
    math: { floorDivide: Math.floor, modulo: (a: number, b: number) => a % b, roundToHalf: (x: number) => x },
  });
  const run = (): void => {
    emitted.phases.forEach(({ chunks }, i) => {
      const call = exports[names[i] as string] as (...parameters: number[]) => void;
      // Backwards: chunks may come in any order.
      for (let chunk = chunks - 1; chunk >= 0; chunk--) call(table, chunk, thread, shared);
    });
  };
  const outputs = (): Values[] =>
    views.filter((_, i) => kernel.operands[i]?.access !== 'in').map((view) => view.slice());
  return { emitted, bytes: bytes.length, outputs, run };
}

function reasonOf(bytes: Uint8Array<ArrayBuffer>): string {
  try {
    new WebAssembly.Module(bytes);
    return 'unknown';
  } catch (error) {
    return (error as Error).message;
  }
}

/** The same kernel on the JavaScript backend, whose sums are in float64. */
export async function reference(kernel: Contraction, operands: HostValues, given: number[] = []): Promise<Values[]> {
  const backend = createJsBackend();
  const numbers = operands.map((_, i) => i);
  const inputs = numbers.filter((i) => kernel.operands[i]?.access === 'in');
  const outputs = numbers.filter((i) => kernel.operands[i]?.access === 'out');
  const plan: Plan = {
    values: operands.map((values, i) => ({
      dtype: kernel.operands[i]?.dtype as DType,
      length: values.length,
      role: kernel.operands[i]?.access === 'in' ? 'input' : 'output',
      first: kernel.operands[i]?.access === 'in' ? -1 : 0,
      last: 1,
    })),
    inputs,
    outputs,
    steps: [{ kernel, operands: numbers, arguments: kernel.arguments.map((_, i) => i), flops: 1, bytes: 1 }],
    updates: [],
    argumentCount: given.length,
    slots: [],
  };
  const executable = await backend.compile(plan);
  const buffers = await Promise.all(
    inputs.map(async (i) => {
      const values = operands[i] as Values;
      const buffer = backend.allocate({ dtype: kernel.operands[i]?.dtype as DType, length: values.length });
      await buffer.write(values as never);
      return buffer;
    }),
  );
  const run = backend.run(executable, { inputs: buffers, arguments: Float64Array.from(given) });
  await run.done;
  const results = await Promise.all(run.outputs.map((buffer) => buffer.read()));
  await backend.dispose();
  return results as Values[];
}
