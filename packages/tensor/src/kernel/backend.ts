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
  /** Bytes of a stored element where they differ from `bytesPerElement`: 4 for a bool on a GPU, 2 for a packed float16. */
  readonly elementBytes?: Partial<Readonly<Record<DType, number>>>;
  readonly threads: number;
  /** Whether one kernel may read and write the same buffer at equal indices (`inout`). */
  readonly inPlace: boolean;
}

/**
 * A buffer on a device; its length may be 0. Writes and reads take their turn among the runs: they happen after all runs
 * given before and before all given after. What a buffer is inside may change (a texture is exchanged for another by an
 * in-place update), the handle stays.
 */
export interface DeviceBuffer {
  readonly dtype: DType;
  readonly length: number;
  /** Copies host values in. Takes them before it returns: the caller may change the array at once. */
  write(values: HostArray): Promise<void>;
  /** A copy of the values, on unshared memory. */
  read(): Promise<HostArray>;
  /** Called once, by the owner, and never while a run that was given the buffer is under way. */
  free(): void;
}

/** A part of the memory that a run needs beside inputs and outputs. */
export interface ScratchItem {
  /** `temporaries`, `packed panels of step 3 (matmul ...)`: for messages and reports. */
  readonly what: string;
  readonly bytes: number;
}

/** A plan made ready to run by a backend. */
export interface Executable {
  readonly plan: Plan;
  /** Bytes that a run needs beside inputs and outputs: temporaries, packing, partial sums. */
  readonly scratchBytes: number;
  /** Called once; runs that were given before still end well. */
  dispose(): void;
}

/** What one run is given. */
export interface Call {
  /** In the order of `plan.inputs`. One buffer may stand for several inputs, unless the plan overwrites one of them. */
  readonly inputs: readonly DeviceBuffer[];
  /** Launch arguments; the caller may change the array when `run` has returned. */
  readonly arguments: Float64Array;
  /** Measure each step and give the times in `run.stepTimes`. */
  readonly profile?: boolean;
}

/** A run under way. */
export interface Run {
  /** The work is handed over; a next run may be given. */
  readonly submitted: Promise<void>;
  /**
   * The work is done, on the device too; rejects with the error of the step that failed, also where the device tells late
   * (an error scope, a lost device, a trap in one of several threads).
   */
  readonly done: Promise<void>;
  /** With `profile`, milliseconds of each step, known when the run is done. */
  readonly stepTimes?: Promise<readonly number[]>;
  /**
   * Milliseconds that the device worked on the run, of its slowest thread, without the way there and back; known when the
   * run is done. Absent where the device does not tell.
   */
  readonly busy?: Promise<number>;
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
  /**
   * What the bits of results depend on beside plan and inputs, such as `simd128, 2 threads`. Checkpoints may keep it, to
   * say at a resume that numbers will differ.
   */
  readonly numerics?: string;
  /**
   * True, or the reason why not; refused kernels run as host steps on the JS backend. Asked for every kernel of a plan
   * while it is made, also for variants that are not used in the end: cheap, and always the same answer.
   */
  supports(kernel: Kernel): true | string;
  allocate(value: { dtype: DType; length: number }): DeviceBuffer;
  /**
   * What a run's scratch memory would be made of, known without compiling: what does not fit is refused by it, and
   * `explain` shows it. The plan's slots where absent.
   */
  scratchOf?(plan: Plan): readonly ScratchItem[];
  /**
   * The core caches the result by the plan's structure. Different plans share kernels: a backend that pays for each may
   * keep compiled ones by their printed text.
   */
  compile(plan: Plan): Promise<Executable>;
  /** Hands a run over; runs happen in the order given. The next may be given before this one is done. */
  run(executable: Executable, call: Call): Run;
  /**
   * Ends what is under way (every `done` settles) and frees everything. Buffers that others still hold may be freed by them
   * afterwards, for nothing.
   */
  dispose(): Promise<void>;
}
