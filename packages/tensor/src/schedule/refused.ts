import { describeKernel } from '../kernel/describe-kernel.ts';
import type { Kernel } from '../kernel/ir.ts';
import type { Emitted } from './emit.ts';
import type { ScheduleOptions } from './schedule.ts';

/** Whether a backend runs a kernel, or why not. Some nodes read or write more buffers than it binds, however they are split. */
export function verdictOn(kernel: Kernel, { capabilities, supports }: ScheduleOptions): true | string {
  const { length } = kernel.operands;
  if (kernel.kind === 'host') return true;
  if (length > capabilities.buffersPerKernel)
    return `it needs ${length} buffers, the backend has ${capabilities.buffersPerKernel} a kernel`;
  return supports?.(kernel) ?? true;
}

/** Kernels that the backend refuses become host steps, one for each result. */
export function splitRefused(
  emitted: readonly Emitted[],
  options: ScheduleOptions,
): { kernels: Emitted[]; refused: Map<number, string> } {
  const { hostFunction } = options;
  const kernels: Emitted[] = [];
  const refused = new Map<number, string>();
  for (const emission of emitted) {
    const verdict = verdictOn(emission.kernel, options);
    if (verdict === true) {
      kernels.push(emission);
      continue;
    }
    if (!hostFunction)
      throw new Error(
        `schedule: the backend refuses a ${emission.kernel.kind} kernel (${verdict}) and there is no host to run it`,
      );
    for (const step of hostSteps(emission, hostFunction)) {
      refused.set(kernels.length, verdict);
      kernels.push(step);
    }
  }
  return { kernels, refused };
}

function hostSteps(
  { kernel, operands, scalars }: Emitted,
  hostFunction: NonNullable<ScheduleOptions['hostFunction']>,
): Emitted[] {
  const read = kernel.operands.flatMap(({ access }, i) => (access === 'out' ? [] : [i]));
  const written = kernel.operands.flatMap(({ access }, i) => (access === 'in' ? [] : [i]));
  if (written.length > 1 && written.some((i) => kernel.operands[i]?.access === 'inout')) {
    throw new Error('schedule: a refused kernel overwrites several buffers in place');
  }
  return written.map((output) => ({
    kernel: {
      kind: 'host',
      operands: [
        ...read.map((i) => ({ dtype: dtypeOf(kernel, i), access: 'in' as const })),
        { dtype: dtypeOf(kernel, output), access: 'out' as const },
      ],
      arguments: kernel.arguments,
      name: describeKernel(kernel),
      run: hostFunction(kernel, output),
    },
    operands: [
      ...read.map((i) => readFrom(operands[i] as Emitted['operands'][number])),
      operands[output] as Emitted['operands'][number],
    ],
    scalars,
  }));
}

function dtypeOf(kernel: Kernel, operand: number): Kernel['operands'][number]['dtype'] {
  return (kernel.operands[operand] as Kernel['operands'][number]).dtype;
}

/** What a kernel overwrites in place, the host step reads from the cell itself. */
function readFrom(operand: Emitted['operands'][number]): Emitted['operands'][number] {
  return 'op' in operand ? operand : (operand.replaces ?? operand);
}
