import { type HostArray, hostArray } from '@evenkeel/tensor';
import type { Call, HostStep, Plan } from '@evenkeel/tensor/kernel';
import {
  type Dispatch,
  type Dispatches,
  type Memories,
  messageOf,
  stepName,
  type WebgpuExecutable,
} from './executable.ts';
import type { Readback } from './readback.ts';
import { toStored } from './stored-values.ts';
import { Timestamps } from './timestamps.ts';

/** What a run needs of its backend. */
export interface RunContext {
  readonly device: GPUDevice;
  readonly readback: Readback;
  readonly memories: Memories;
  kernelsSubmitted(count: number): void;
}

/**
 * Records and submits a plan: one command buffer, or one for each stretch between host steps. What it returns is
 * settled when all is submitted; without host steps that is at once.
 */
export function submitPlan(
  executable: WebgpuExecutable,
  call: Call,
  context: RunContext,
): Promise<StepTimes> | StepTimes {
  const { plan } = executable;
  executable.writeArguments(call.arguments);
  if (call.profile) return profiled(executable, call, context);
  const hosts = plan.steps.flatMap(({ kernel }, step) => (kernel.kind === 'host' ? [step] : []));
  if (hosts.length === 0) {
    submitStretch(executable, 0, plan.steps.length, context);
    return noTimes;
  }
  return withHostSteps(executable, hosts, call, context);
}

/** Milliseconds of each step, if they were asked for; asked when the work is done. */
export type StepTimes = () => Promise<readonly number[]>;

const noTimes: StepTimes = async () => [];

async function withHostSteps(
  executable: WebgpuExecutable,
  hosts: readonly number[],
  call: Call,
  context: RunContext,
): Promise<StepTimes> {
  let next = 0;
  for (const host of hosts) {
    submitStretch(executable, next, host, context);
    await runHostStep(executable.plan, host, call, context);
    next = host + 1;
  }
  submitStretch(executable, next, executable.plan.steps.length, context);
  return noTimes;
}

function submitStretch(executable: WebgpuExecutable, from: number, to: number, context: RunContext): void {
  if (from === to) return;
  const encoder = context.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  record(pass, executable.bind(context.memories), from, to);
  pass.end();
  context.device.queue.submit([encoder.finish()]);
  context.kernelsSubmitted(to - from);
}

function record(pass: GPUComputePassEncoder, dispatches: Dispatches, from: number, to: number): void {
  for (let step = from; step < to; step++) {
    for (const { pipeline, group, x, y } of dispatches[step] as readonly Dispatch[]) {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(x, y);
    }
  }
}

/** Each step in a pass of its own, with the device's clock around it; where it has none, one step after the other. */
async function profiled(executable: WebgpuExecutable, call: Call, context: RunContext): Promise<StepTimes> {
  const { device } = context;
  const { steps } = executable.plan;
  const dispatches = executable.bind(context.memories);
  const times = steps.map(() => 0);
  const stamps = device.features.has('timestamp-query') ? new Timestamps(device, steps.length) : undefined;
  for (let step = 0; step < steps.length; step++) {
    const start = performance.now();
    if (steps[step]?.kernel.kind === 'host') {
      await runHostStep(executable.plan, step, call, context);
    } else {
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass(stamps ? { timestampWrites: stamps.around(step) } : {});
      record(pass, dispatches, step, step + 1);
      pass.end();
      device.queue.submit([encoder.finish()]);
      context.kernelsSubmitted(1);
      if (stamps) continue;
      await device.queue.onSubmittedWorkDone();
    }
    times[step] = performance.now() - start;
  }
  if (!stamps) return async () => times;
  const encoder = device.createCommandEncoder();
  stamps.resolve(encoder);
  device.queue.submit([encoder.finish()]);
  return async () => {
    const measured = await stamps.read();
    stamps.destroy();
    return times.map((time, step) => (steps[step]?.kernel.kind === 'host' ? time : (measured[step] as number)));
  };
}

/** Reads a host step's inputs, runs it, and writes its result. */
async function runHostStep(plan: Plan, step: number, call: Call, context: RunContext): Promise<void> {
  const { operands, arguments: numbers, kernel } = plan.steps[step] as Plan['steps'][number];
  const planValue = (operand: number): Plan['values'][number] => plan.values[operand] as Plan['values'][number];
  const output = operands[operands.length - 1] as number;
  const { dtype, length } = planValue(output);
  try {
    const inputs = await Promise.all(
      operands.slice(0, -1).map((operand) => {
        const value = planValue(operand);
        return context.readback.read(context.memories[operand] as GPUBuffer, value.dtype, value.length);
      }),
    );
    const given = Float64Array.from(numbers, (number) => call.arguments[number] as number);
    const result: HostArray = await (kernel as HostStep).run(inputs, given);
    const expected = hostArray(dtype, 0).constructor;
    if (result.constructor !== expected || result.length !== length) {
      throw new Error(
        `returned ${result.constructor.name} of length ${result.length}, the result is ${dtype} of ${length}. Return a ${expected.name} of length ${length}`,
      );
    }
    context.device.queue.writeBuffer(context.memories[output] as GPUBuffer, 0, toStored(dtype, result));
  } catch (error) {
    throw new Error(`webgpu backend: ${stepName(plan, step)} failed: ${messageOf(error)}`, { cause: error });
  }
}
