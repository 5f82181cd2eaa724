import type { DType, HostArray } from '../types/dtype.ts';
import type { Kernel } from './ir.ts';
import type { Plan } from './plan.ts';

/** What a backend can do; the core plans by it. */
export interface Capabilities {
  readonly dtypes: readonly DType[];
  /** Storage orders that the backend's kernels like best; row-major where absent. */
  readonly layouts: { readonly conv?: 'channels-last' };
  /** Most operands of one kernel. */
  readonly buffersPerKernel: number;
  /** Largest single buffer and all buffers together, in bytes. */
  readonly maxBufferBytes: number;
  readonly memoryBytes: number;
  readonly threads: number;
  /** Whether one kernel may read and write the same buffer at equal indices (`inout`). */
  readonly inPlace: boolean;
}

/** A buffer on a device. Freed once, by its owner. */
export interface DeviceBuffer {
  readonly dtype: DType;
  readonly length: number;
  /** Copies host values in. */
  write(values: HostArray): Promise<void>;
  /** A copy of the values, on unshared memory. */
  read(): Promise<HostArray>;
  free(): void;
}

/** A plan made ready to run by a backend. */
export interface Executable {
  readonly plan: Plan;
  /** Bytes that a run needs beside inputs and outputs: temporaries, packing, partial sums. */
  readonly scratchBytes: number;
  /** Time of each step in the latest run with `profile`, in milliseconds. */
  readonly stepTimes?: readonly number[];
  dispose(): void;
}

/** What one run is given. */
export interface Call {
  /** In the order of `plan.inputs`. */
  readonly inputs: readonly DeviceBuffer[];
  /** Launch arguments. */
  readonly arguments: Float64Array;
  /** Measure each step and leave the times in `executable.stepTimes`. */
  readonly profile?: boolean;
}

/** A run under way. */
export interface Run {
  /** The work is handed over; a next run may be given. */
  readonly submitted: Promise<void>;
  /** The work is done; rejects with the error of the step that failed. */
  readonly done: Promise<void>;
  /** In the order of `plan.outputs`; usable as inputs of later runs at once. In-place outputs are the input's handle. */
  readonly outputs: readonly DeviceBuffer[];
}

/**
 * A place where plans run. A backend knows no op names, dtype rules, autograd or reference counts: it prints the
 * kernels of a plan and runs them in order.
 */
export interface Backend {
  readonly name: string;
  readonly capabilities: Capabilities;
  /** True, or the reason why not; refused kernels run as host steps on the JS backend. */
  supports(kernel: Kernel): true | string;
  allocate(value: { dtype: DType; length: number }): DeviceBuffer;
  /** The core caches the result by the plan's structure. */
  compile(plan: Plan): Promise<Executable>;
  run(executable: Executable, call: Call): Run;
  dispose(): Promise<void>;
}
