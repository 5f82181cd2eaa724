import type { Backend, DeviceBuffer } from '@evenkeel/tensor';
import { hostArray } from '@evenkeel/tensor';
import type { Plan } from '@evenkeel/tensor/kernel';
import {
  contractionKernels,
  elementwiseKernels,
  type KernelCase,
  rowKernels,
  runOracle,
} from '@evenkeel/tensor/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';

/** Around the sizes of workgroups and tiles. */
const sizes = [0, 1, 2, 3, 4, 7, 8, 16, 17, 33, 65, 70];

/** A kernel as a plan, its launch arguments numbered as they are. */
function planOf({ kernel, operands, given }: KernelCase): Plan {
  const values = kernel.operands.map(({ dtype, access }, i): Plan['values'][number] => {
    const { length } = operands[i] as { length: number };
    const isInput = access === 'in';
    return { dtype, length, role: isInput ? 'input' : 'output', first: isInput ? -1 : 0, last: isInput ? 0 : 1 };
  });
  const numbers = values.map((_, i) => i);
  return {
    values,
    inputs: numbers.filter((i) => values[i]?.role === 'input'),
    outputs: numbers.filter((i) => values[i]?.role === 'output'),
    steps: [{ kernel, operands: numbers, arguments: given.map((_, i) => i), flops: 0, bytes: 0 }],
    updates: [],
    argumentCount: given.length,
    slots: [],
  };
}

/** The kernel with the operands that it uses alone: random ones have an input of every dtype. */
function withoutUnused({ kernel, operands, given }: KernelCase): KernelCase {
  const used = new Set<number>();
  const visit = (part: unknown, change: (operand: number) => number): unknown => {
    if (typeof part !== 'object' || part === null) return part;
    if (Array.isArray(part)) return part.map((inner) => visit(inner, change));
    const entries = Object.entries(part).map(([key, value]): [string, unknown] => {
      return key === 'operand' && typeof value === 'number' ? [key, change(value)] : [key, visit(value, change)];
    });
    return Object.fromEntries(entries);
  };
  visit(kernel, (operand) => {
    used.add(operand);
    return operand;
  });
  const kept = kernel.operands.flatMap((_, i) => (used.has(i) ? [i] : []));
  const changed = visit({ ...kernel, operands: [] }, (operand) => kept.indexOf(operand)) as typeof kernel;
  return {
    kernel: { ...changed, operands: kept.map((i) => kernel.operands[i] as (typeof kernel.operands)[number]) },
    operands: kept.map((i) => operands[i] as (typeof operands)[number]),
    given,
  };
}

/** Runs a kernel, and holds its results to those of the oracle. */
async function runExactly(backend: Backend, one: KernelCase): Promise<void> {
  const { kernel, operands, given } = one;
  const wanted = operands.map((values) => values.slice());
  runOracle(kernel, wanted, [...given]);
  const plan = planOf(one);
  const inputs: DeviceBuffer[] = [];
  for (const number of plan.inputs) {
    const { dtype, length } = plan.values[number] as Plan['values'][number];
    const buffer = backend.allocate({ dtype, length });
    await buffer.write(operands[number] as ReturnType<typeof hostArray>);
    inputs.push(buffer);
  }
  const executable = await backend.compile(plan);
  const { done, outputs } = backend.run(executable, { inputs, arguments: Float64Array.from(given) });
  await done;
  for (const [i, number] of plan.outputs.entries()) {
    const got = await (outputs[i] as DeviceBuffer).read();
    // + 0: zeros of both signs are one.
    const plain = (values: ArrayLike<number>): number[] => Array.from(values, (value) => value + 0);
    expect(plain(got), `operand ${number}`).toEqual(plain(wanted[number] ?? hostArray('float32', 0)));
  }
  for (const buffer of [...inputs, ...outputs]) buffer.free();
  executable.dispose();
}

/**
 * Tests that random kernels of all kinds are exact on the backend that `backend` gives, but for those that it refuses with one
 * of the reasons `refusals`. Gives how many of the cases drawn were run.
 */
export function testRandomKernels(backend: () => Backend, numRuns: number, refusals: RegExp): () => number {
  let ran = 0;
  const agrees = async (drawn: KernelCase): Promise<void> => {
    const one = withoutUnused(drawn);
    const verdict = backend().supports(one.kernel);
    if (verdict !== true) {
      expect(verdict).toMatch(refusals);
      return;
    }
    if (one.kernel.operands.length > backend().capabilities.buffersPerKernel) return;
    ran++;
    await runExactly(backend(), one);
  };
  test('elementwise, of every dtype', async () => {
    await fc.assert(fc.asyncProperty(elementwiseKernels({ sizes, elements: 300 }), agrees), { numRuns });
  });
  test('rows of stages', async () => {
    await fc.assert(fc.asyncProperty(rowKernels({ sizes, elements: 300 }), agrees), { numRuns });
  });
  test('contractions', async () => {
    await fc.assert(fc.asyncProperty(contractionKernels({ sizes: [1, 2, 3, 5, 8, 17, 20] }), agrees), { numRuns });
  });
  return () => ran;
}
