import type { GpuKernel, WebgpuInternals } from '../library.ts';
import type { DeviceArray, Form, Storage } from './storage.ts';
import type { GpuBuffer, GpuDevice, WebgpuContext } from './webgpu-device.ts';

/** STORAGE, COPY_SRC, COPY_DST, and MAP_READ, COPY_DST: a page without WebGPU has no GPUBufferUsage. */
const USAGE = 0x80 | 0x04 | 0x08;
const STAGING = 0x01 | 0x08;

/** A buffer as gpu.js's kernels take it. */
class BufferArgument implements DeviceArray {
  readonly type = 'WebGPUBuffer';
  readonly componentCount = 1;
  readonly length: number;
  readonly form: Form;
  readonly buffer: GpuBuffer;
  readonly output: readonly number[];
  readonly context: WebgpuContext;

  constructor(length: number, form: Form, buffer: GpuBuffer, context: WebgpuContext) {
    this.length = length;
    this.form = form;
    this.buffer = buffer;
    this.output = [length];
    this.context = context;
  }

  get argument(): this {
    return this;
  }
}

const lost = 'the WebGPU device was lost. Make a new backend by gpujs(), and go on from values of the host';

/** Buffers of gpu.js's WebGPU device. */
export class WebgpuStorage implements Storage {
  readonly limit: { length: number; what: string };
  readonly #context: WebgpuContext;
  readonly #device: GpuDevice;

  readonly #creationErrors: Promise<string | undefined>[] = [];

  constructor(context: WebgpuContext) {
    this.#context = context;
    this.#device = context.device;
    const { maxStorageBufferBindingSize, maxBufferSize } = context.device.limits;
    const bytes = Math.min(maxStorageBufferBindingSize, maxBufferSize);
    this.limit = { length: Math.floor(bytes / 4), what: `the ${bytes} bytes that this device binds` };
  }

  create(length: number, form: Form): BufferArgument {
    this.#check();
    const size = Math.max(4, 4 * length);
    this.#device.pushErrorScope('out-of-memory');
    const buffer = this.#device.createBuffer({ size, usage: USAGE });
    const error = this.#device.popErrorScope();
    this.#creationErrors.push(
      error.then(
        (told) => (told ? `no memory for ${size} bytes on the device (${told.message})` : undefined),
        () => lost,
      ),
    );
    return new BufferArgument(length, form, buffer, this.#context);
  }

  destroy({ buffer }: BufferArgument): void {
    buffer.destroy();
  }

  write({ buffer }: BufferArgument, values: Float32Array): void {
    this.#check();
    this.#device.queue.writeBuffer(buffer, 0, values);
  }

  async read({ buffer, length }: BufferArgument): Promise<Float32Array> {
    this.#check();
    const size = Math.max(4, 4 * length);
    const staging = this.#device.createBuffer({ size, usage: STAGING });
    try {
      const encoder = this.#device.createCommandEncoder();
      encoder.copyBufferToBuffer(buffer, 0, staging, 0, size);
      this.#device.queue.submit([encoder.finish()]);
      await staging.mapAsync(1);
      return new Float32Array(staging.getMappedRange().slice(0));
    } catch (error) {
      this.#check();
      throw error;
    } finally {
      staging.destroy();
    }
  }

  async run(kernel: GpuKernel, given: readonly unknown[], target: BufferArgument): Promise<void> {
    const internals = kernel.kernel as unknown as WebgpuInternals;
    // gpu.js keeps an output buffer that is large enough.
    if (internals.outputBuffer !== target.buffer) {
      internals.outputBuffer = target.buffer;
      internals.bindGroupDirty = true;
    }
    await kernel(...given);
  }

  creationErrors(): readonly Promise<string | undefined>[] {
    return this.#creationErrors.splice(0);
  }

  discard(kernel: GpuKernel): void {
    // gpu.js would destroy it with the kernel.
    (kernel.kernel as unknown as WebgpuInternals).outputBuffer = null;
    kernel.destroy();
  }

  watch(): () => Promise<string | undefined> {
    this.#check();
    this.#device.pushErrorScope('validation');
    return () => {
      return this.#device.popErrorScope().then(
        (error) => error?.message,
        () => lost,
      );
    };
  }

  async finished(): Promise<void> {
    await this.#device.queue.onSubmittedWorkDone();
    this.#check();
  }

  destroyDevice(): void {
    this.#device.destroy();
  }

  #check(): void {
    if (this.#context.isLost) throw new Error(lost);
  }
}
