import type { GpuKernel } from '../library.ts';
import type { DeviceArray, Form, Storage } from './storage.ts';

class HostFloats implements DeviceArray {
  readonly type = 'Array';
  readonly length: number;
  readonly form: Form;
  argument: Float32Array;

  constructor(length: number, form: Form) {
    this.length = length;
    this.form = form;
    // Made by the kernel that writes it.
    this.argument = none;
  }
}

const none = new Float32Array(0);

/** For the modes that run on the processor: each result is an array of its own. */
export class ProcessorStorage implements Storage {
  readonly limit = { length: Number.POSITIVE_INFINITY, what: 'memory' };

  create(length: number, form: Form): HostFloats {
    return new HostFloats(length, form);
  }

  destroy(array: HostFloats): void {
    array.argument = none;
  }

  write(array: HostFloats, values: Float32Array): void {
    array.argument = values;
  }

  async read(array: HostFloats): Promise<Float32Array> {
    return array.argument.slice();
  }

  run(kernel: GpuKernel, given: readonly unknown[], target: HostFloats): void {
    // As they come, not as the rows that four results a thread would make.
    kernel.kernel._shapeOutput = (values: Float32Array) => values;
    target.argument = kernel(...given) as Float32Array;
  }

  creationErrors(): readonly [] {
    return [];
  }

  discard(kernel: GpuKernel): void {
    kernel.destroy();
  }

  watch(): () => Promise<undefined> {
    return async () => undefined;
  }

  async finished(): Promise<void> {}

  destroyDevice(): void {}
}
