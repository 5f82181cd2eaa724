import type { Call, DeviceBuffer } from './backend.ts';
import type { Plan, PlanValue } from './plan.ts';

/** A run's buffers by value number; temporaries have none. */
export type BoundBuffers<B extends DeviceBuffer> = (B | undefined)[];

/**
 * The buffers that a call brings, checked against the plan. `backend.isOwn` tells the backend's own buffers from others'.
 *
 * @throws when inputs or arguments are too many or too few, or a buffer is another backend's, of another dtype or length.
 * @example
 * const backend = createJsBackend();
 * const isOwn = (buffer: DeviceBuffer | undefined): buffer is DeviceBuffer => buffer !== undefined;
 * const values: PlanValue[] = [{ dtype: 'float32', length: 2, role: 'input', first: -1, last: 0 }];
 * const plan: Plan = { values, inputs: [0], outputs: [], steps: [], updates: [], argumentCount: 0, slots: [] };
 * const inputs = [backend.allocate({ dtype: 'float32', length: 2 })];
 * const bound = bindInputs(plan, { inputs, arguments: new Float64Array(0) }, { name: 'mine', isOwn });
 * bound[0] === inputs[0]; // true
 */
export function bindInputs<B extends DeviceBuffer>(
  plan: Plan,
  { inputs, arguments: given }: Call,
  backend: { readonly name: string; isOwn(buffer: DeviceBuffer | undefined): buffer is B },
): BoundBuffers<B> {
  const { name } = backend;
  if (inputs.length !== plan.inputs.length || given.length !== plan.argumentCount) {
    throw new Error(
      `${name} backend: run with ${inputs.length} inputs and ${given.length} arguments, the plan takes ${plan.inputs.length} and ${plan.argumentCount}`,
    );
  }
  const buffers: BoundBuffers<B> = plan.values.map(() => undefined);
  plan.inputs.forEach((value, i) => {
    const buffer = inputs[i];
    if (!backend.isOwn(buffer)) {
      throw new Error(`${name} backend: input ${i} is a buffer of another backend. Read it there and write it here`);
    }
    const { dtype, length } = plan.values[value] as PlanValue;
    if (buffer.dtype !== dtype || buffer.length !== length) {
      throw new Error(
        `${name} backend: input ${i} is ${buffer.dtype} of length ${buffer.length}, the plan takes ${dtype} of length ${length}`,
      );
    }
    buffers[value] = buffer;
  });
  return buffers;
}

/**
 * Gives every output its buffer: the one that it replaces, or a new one.
 *
 * @throws what `allocate` throws; then what it had made is freed.
 * @example
 * const backend = createJsBackend();
 * const values: PlanValue[] = [{ dtype: 'float32', length: 2, role: 'output', first: 0, last: 1 }];
 * const plan: Plan = { values, inputs: [], outputs: [0], steps: [], updates: [], argumentCount: 0, slots: [] };
 * const bound: BoundBuffers<DeviceBuffer> = [undefined];
 * bindOutputs(plan, bound, (value) => backend.allocate(value));
 * bound[0]?.length; // 2
 */
export function bindOutputs<B extends DeviceBuffer>(
  plan: Plan,
  buffers: BoundBuffers<B>,
  allocate: (value: PlanValue) => B,
): void {
  const made: B[] = [];
  const bind = (number: number): B => {
    const known = buffers[number];
    if (known) return known;
    const value = plan.values[number] as PlanValue;
    let buffer: B;
    if (value.replaces !== undefined) buffer = bind(value.replaces);
    else {
      buffer = allocate(value);
      made.push(buffer);
    }
    buffers[number] = buffer;
    return buffer;
  };
  try {
    plan.outputs.forEach(bind);
  } catch (error) {
    for (const buffer of made) buffer.free();
    throw error;
  }
}
