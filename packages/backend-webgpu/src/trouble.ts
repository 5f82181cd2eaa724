import { showBytes } from '@evenkeel/tensor/kernel';
import type { DeviceError } from './error-scopes.ts';

/** What a device has told of its troubles, as errors for whoever waits. */
export class Trouble {
  #lost: GPUDeviceLostInfo | undefined;
  #memory: string | undefined;
  #write: DeviceError | undefined;

  constructor(device: GPUDevice) {
    void device.lost.then((info) => {
      this.#lost = info;
    });
  }

  /** The device had no memory for a buffer; whoever comes to use it is told. */
  noteMemory(bytes: number, { message }: DeviceError): void {
    this.#memory = `the device has no ${showBytes(bytes)} more: ${message}`;
  }

  /** A write failed for which nobody waits: who reads or runs next is told. */
  noteWrite(error: DeviceError): void {
    this.#write = error;
  }

  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  /** @throws when the device is lost. */
  check(): void {
    if (this.#lost) throw lostError(this.#lost);
  }

  /** The error to give for what the device told of some calls, if there is any. */
  async of(error: DeviceError | undefined): Promise<Error | undefined> {
    const lost = this.#lost ? lostError(this.#lost) : error && (await this.loss());
    if (lost) return lost;
    const memory = this.#memory;
    const told = error ?? this.#write;
    this.#memory = undefined;
    this.#write = undefined;
    if (memory !== undefined) {
      return new Error(`webgpu backend: out of memory: ${memory}. Use smaller batches or dispose results`);
    }
    return told && new Error(`webgpu backend: ${told.kind} error: ${told.message}`);
  }

  /** A loss is told in turns after what it broke. */
  async loss(): Promise<Error | undefined> {
    await new Promise((resolve) => setTimeout(resolve, 0));
    return this.#lost && lostError(this.#lost);
  }
}

function lostError({ reason, message }: GPUDeviceLostInfo): Error {
  return new Error(
    `webgpu backend: the device was lost (${reason}): ${message}. Create another backend; what was on the device is gone`,
  );
}
