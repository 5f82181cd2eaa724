import { type HostArray, hostArray } from '@evenkeel/tensor';
import type { Call, HostStep, Plan } from '@evenkeel/tensor/kernel';
import { GpujsBuffer } from './buffer.ts';
import type { Device } from './device.ts';
import { type GpujsExecutable, stepName } from './executable.ts';
import { messageOf } from './library.ts';
import { partsOf } from './source/whole-numbers.ts';
import type { DeviceArray } from './storage/storage.ts';
import { floatsPerElement, fromFloats, toFloats } from './stored-values.ts';

/** Where a value of the plan is at run time. */
interface Place {
  handle: DeviceArray | undefined;
}

/** One run of a plan: step after step, temporaries released after their last use. */
export class PlanRun {
  readonly #device: Device;
  readonly #executable: GpujsExecutable;
  readonly #call: Call;
  /** Buffers of inputs and outputs, places of temporaries. */
  readonly #places: Place[];

  constructor(device: Device, executable: GpujsExecutable, call: Call, buffers: readonly (GpujsBuffer | undefined)[]) {
    this.#device = device;
    this.#executable = executable;
    this.#call = call;
    this.#places = executable.plan.values.map((_, i) => buffers[i] ?? { handle: undefined });
  }

  /** Milliseconds of each step, and what the device says, later, of what went wrong. */
  async run(): Promise<{ times: number[]; trouble: Promise<string | undefined> }> {
    const { plan } = this.#executable;
    const times: number[] = [];
    const errors: Promise<string | undefined>[] = [];
    const ended = this.#device.watch();
    try {
      for (let step = 0; step < plan.steps.length; step++) {
        const start = performance.now();
        try {
          if (plan.steps[step]?.kernel.kind === 'host') await this.#hostStep(step);
          else await this.#kernel(step);
        } catch (error) {
          throw new Error(this.#failed(step, messageOf(error)), { cause: error });
        }
        times.push(performance.now() - start);
        for (const error of this.#device.creationErrors()) {
          errors.push(error.then((told) => told && this.#failed(step, told)));
        }
        for (const value of this.#executable.lastUsed[step] ?? []) this.#drop(this.#places[value] as Place);
      }
    } finally {
      errors.push(ended().then((told) => told && `gpujs backend: a run of ${plan.steps.length} steps failed: ${told}`));
      for (const place of this.#places) if (!(place instanceof GpujsBuffer)) this.#drop(place);
    }
    return { times, trouble: Promise.all(errors).then((all) => all.find((told) => told)) };
  }

  #failed(step: number, why: string): string {
    return `gpujs backend: ${stepName(this.#executable.plan, step)} failed: ${why}`;
  }

  async #kernel(step: number): Promise<void> {
    const { plan, launches } = this.#executable;
    const { operands, arguments: numbers } = plan.steps[step] as Plan['steps'][number];
    const temporaries = new Map<number, DeviceArray>();
    const results: [number, DeviceArray][] = [];
    try {
      for (const { key, launch } of launches[step] as GpujsExecutable['launches'][number]) {
        const arrays: DeviceArray[] = [];
        for (const { kind, number } of launch.arrays) {
          arrays.push(
            kind === 'operand'
              ? await this.#handle(operands[number] as number)
              : (temporaries.get(number) as DeviceArray),
          );
        }
        const scalars = launch.scalars.map((scalar) => {
          if (scalar.kind === 'constant') return scalar.value;
          const value = this.#call.arguments[numbers[scalar.number] as number] as number;
          return scalar.part === undefined ? value : (partsOf(value)[scalar.part === 'high' ? 0 : 1] as number);
        });
        const made = await this.#device.launch(key, launch, arrays, scalars);
        if (launch.result.kind === 'temporary') temporaries.set(launch.result.number, made);
        else results.push([operands[launch.result.number] as number, made]);
      }
    } catch (error) {
      for (const [, made] of results) this.#device.release(made);
      throw error;
    } finally {
      for (const temporary of temporaries.values()) this.#device.release(temporary);
    }
    // All launches have read what in-place results overwrite.
    for (const [value, made] of results) this.#put(value, made);
    this.#device.kernelsRun++;
  }

  async #hostStep(step: number): Promise<void> {
    const { plan } = this.#executable;
    const { operands, arguments: numbers, kernel } = plan.steps[step] as Plan['steps'][number];
    const inputs: HostArray[] = [];
    for (const operand of operands.slice(0, -1)) inputs.push(await this.#values(operand));
    const given = Float64Array.from(numbers, (number) => this.#call.arguments[number] as number);
    const result = await (kernel as HostStep).run(inputs, given);
    const output = operands[operands.length - 1] as number;
    const { dtype, length } = plan.values[output] as Plan['values'][number];
    const expected = hostArray(dtype, 0).constructor;
    if (result.constructor !== expected || result.length !== length) {
      throw new Error(
        `returned ${result.constructor.name} of length ${result.length}, the result is ${dtype} of ${length}. Return a ${expected.name} of length ${length}`,
      );
    }
    this.#put(output, await this.#device.upload(toFloats(dtype, result)));
  }

  /** A value on the device; what nobody has written is zeros. */
  async #handle(value: number): Promise<DeviceArray> {
    const place = this.#places[value] as Place;
    const { dtype, length } = this.#executable.plan.values[value] as Plan['values'][number];
    place.handle ??= await this.#device.upload(new Float32Array(Math.max(1, floatsPerElement(dtype) * length)));
    return place.handle;
  }

  async #values(value: number): Promise<HostArray> {
    const { dtype, length } = this.#executable.plan.values[value] as Plan['values'][number];
    return fromFloats(dtype, await this.#device.download(await this.#handle(value)), length);
  }

  #put(value: number, made: DeviceArray): void {
    const place = this.#places[value] as Place;
    if (place.handle) this.#device.release(place.handle);
    place.handle = made;
  }

  #drop(place: Place): void {
    if (place.handle) this.#device.release(place.handle);
    place.handle = undefined;
  }
}
