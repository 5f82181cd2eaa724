import type { HostStep } from '../kernel/ir.ts';
import { type HostArray, hostArray } from '../types/dtype.ts';

/**
 * Runs a host function on copies of its inputs and checks what it gives back.
 *
 * @throws when the result's length is not the output's.
 */
export async function runHostStep(step: HostStep, operands: readonly HostArray[], given: Float64Array): Promise<void> {
  const output = operands[operands.length - 1] as HostArray;
  const inputs = operands.slice(0, -1).map((input) => input.slice());
  const result = await step.run(inputs, given);
  const { dtype } = step.operands[step.operands.length - 1] as HostStep['operands'][number];
  const expected = hostArray(dtype, 0).constructor;
  if (result.constructor !== expected || result.length !== output.length) {
    throw new Error(
      `host ${step.name}: returned ${result.constructor.name} of length ${result.length}, the result is ${dtype} of ${output.length}. Return a ${expected.name} of length ${output.length}`,
    );
  }
  output.set(result as Float32Array);
}
