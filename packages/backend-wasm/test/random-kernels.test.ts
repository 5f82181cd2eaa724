import type { HostArray } from '@evenkeel/tensor';
import { planRow, type RowKernel } from '@evenkeel/tensor/kernel';
import { elementwiseKernels, type KernelCase, rowKernels, runOracle } from '@evenkeel/tensor/testing';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { emitKernel } from '../src/emit-kernel.ts';
import { argumentsOffset, type EmittedKernel, type InstructionSet } from '../src/emitted-kernel.ts';
import { ModuleBuilder } from '../src/encoder.ts';
import { probeInstructions } from '../src/instructions.ts';
import type { KernelContext } from '../src/kernel-context.ts';
import { MathFunctions } from '../src/math.ts';
import { emitRowBlocks } from '../src/row-blocks.ts';
import { addRuntimeFunctions } from '../src/runtime-functions.ts';
import { accessesOf, lanesFor, type VectorAxis } from '../src/vector-axis.ts';

/** Around whole vectors and groups of vectors. */
const sizes = [0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 18, 33, 70];
const PAGES = 64;
const GUARD = 64;

let hasRelaxed = false;
beforeAll(() => {
  hasRelaxed = probeInstructions({ experimental: true }) !== 'plain';
});

type Emit = (kernel: KernelCase['kernel'], context: KernelContext) => EmittedKernel;

/** Runs a kernel on one thread, chunks last to first. What is around operands must stay as it is. */
function run({ kernel, operands, given }: KernelCase, instructions: InstructionSet, emit: Emit): HostArray[] {
  const module = new ModuleBuilder();
  module.importMemory({ module: 'env', name: 'memory', initial: 1, maximum: PAGES, shared: true });
  const runtime = addRuntimeFunctions(module);
  const math = new MathFunctions(module, { fused: instructions !== 'plain' });
  const { phases, threadBytes, sharedBytes } = emit(kernel, { module, runtime, math, instructions, threads: 1 });
  phases.forEach((phase, i) => {
    const f = module.function({ parameters: ['i32', 'i32', 'i32', 'i32'] }, `phase${i}`);
    for (const parameter of f.parameters) f.get(parameter);
    f.call(phase.run);
  });
  const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES, shared: true });
  new Uint8Array(memory.buffer).fill(0xa5);
  let end = 0;
  const place = (bytes: number): number => {
    const start = end + GUARD;
    end = start + Math.ceil(bytes / 64) * 64;
    return start;
  };
  const table = place(argumentsOffset(operands.length) + 8 * given.length);
  const views = operands.map((values, i) => {
    const View = values.constructor as new (buffer: ArrayBufferLike, offset: number, length: number) => HostArray;
    const view = new View(memory.buffer, place(values.byteLength), values.length);
    if (kernel.operands[i]?.access !== 'out') view.set(values as Float32Array);
    return view;
  });
  new Int32Array(memory.buffer, table).set(views.map(({ byteOffset }) => byteOffset));
  new Float64Array(memory.buffer, table + argumentsOffset(operands.length)).set(given);
  const [own, shared] = [place(threadBytes), place(sharedBytes)];
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.toBytes()), {
    env: { memory },
    math: { floorDivide: Math.floor, modulo: (a: number, b: number) => a % b, roundToHalf: (x: number) => x },
  });
  phases.forEach(({ chunks }, i) => {
    const call = exports[`phase${i}`] as (...parameters: number[]) => void;
    for (let chunk = chunks - 1; chunk >= 0; chunk--) call(table, chunk, own, shared);
  });
  for (const { byteOffset, byteLength } of views) {
    const behind = new Uint8Array(memory.buffer, byteOffset + byteLength, GUARD);
    expect(behind.every((byte) => byte === 0xa5)).toBe(true);
  }
  return views.map((view) => view.slice());
}

const emitAny: Emit = (kernel, context) => emitKernel(kernel as RowKernel, context);

/** The last outer axis in lanes, whether or not that is worth it. */
function inBlocks(kernel: RowKernel): VectorAxis | undefined {
  const exprs = kernel.stages.map((stage) => (stage.kind === 'store' ? stage.store.value : stage.value));
  const stores = kernel.stages.flatMap((stage) => (stage.kind === 'store' ? [stage.store] : []));
  const lanes = lanesFor(accessesOf(kernel, exprs, stores));
  const axis = kernel.outer.length - 1;
  const isPlain = kernel.stages.every(({ kind }) => kind !== 'scan') && planRow(kernel).kept.size === 0;
  return isPlain && axis >= 0 && (kernel.outer[axis] as number) >= 2 * lanes ? { axis, lanes, units: 2 } : undefined;
}

const emitBlocks: Emit = (kernel, context) => {
  const vector = inBlocks(kernel as RowKernel) as VectorAxis;
  return emitRowBlocks(kernel as RowKernel, planRow(kernel as RowKernel), { vector, context, rows: 16 });
};

function agrees(one: KernelCase, instructions: InstructionSet, emit: Emit = emitAny): void {
  const { kernel, operands, given } = one;
  const wanted = operands.map((values) => values.slice());
  runOracle(kernel, wanted, given);
  const got = run(one, instructions, emit);
  // + 0: zeros of both signs are one.
  kernel.operands.forEach(({ access }, i) => {
    if (access === 'in') return;
    const plain = (values: HostArray | undefined): number[] => Array.from(values ?? [], (value) => value + 0);
    expect(plain(got[i]), `operand ${i}`).toEqual(plain(wanted[i]));
  });
}

describe.each(['plain', 'relaxed', 'wide'] as const)('random kernels with %s instructions are exact', (set) => {
  const check = (one: KernelCase): void => {
    if (set === 'plain' || hasRelaxed) agrees(one, set);
  };
  const runs = { numRuns: 100 };
  test('elementwise, of every dtype', () => {
    fc.assert(fc.property(elementwiseKernels({ sizes, elements: 300 }), check), runs);
  });
  test('rows of stages', () => {
    fc.assert(fc.property(rowKernels({ sizes, elements: 300 }), check), runs);
  });
  test('rows in blocks', () => {
    const kernels = rowKernels({ sizes, elements: 300 }).filter(
      ({ kernel }) => inBlocks(kernel as RowKernel) !== undefined,
    );
    const property = fc.property(kernels, (one) => {
      if (set === 'plain' || hasRelaxed) agrees(one, set, emitBlocks);
    });
    fc.assert(property, { numRuns: 60 });
  });
});
