import { bytesPerElement, type DeviceBuffer, type DType, type HostArray } from '@evenkeel/tensor';

/** What a buffer needs of its backend. */
export interface BufferHome {
  /** Runs `work` after everything given before; at once if there is nothing. */
  inOrder<T>(work: () => T): Promise<T>;
  view(buffer: WasmBuffer): HostArray;
  freed(buffer: WasmBuffer, address: number): void;
}

/** A part of a backend's memory. */
export class WasmBuffer implements DeviceBuffer {
  readonly dtype: DType;
  readonly length: number;
  readonly home: BufferHome;
  readonly #address: number;
  #isFreed = false;

  constructor(dtype: DType, length: number, address: number, home: BufferHome) {
    this.dtype = dtype;
    this.length = length;
    this.home = home;
    this.#address = address;
  }

  get bytes(): number {
    return this.length * bytesPerElement(this.dtype);
  }

  /** @throws when the buffer is freed. */
  address(use: string): number {
    if (this.#isFreed) {
      throw new Error(
        `wasm backend: ${use} of a freed buffer, ${this.dtype} of length ${this.length}. Keep it until its last use is given`,
      );
    }
    return this.#address;
  }

  async write(values: HostArray): Promise<void> {
    this.address('write');
    const target = this.home.view(this);
    if (values.constructor !== target.constructor || values.length !== target.length) {
      throw new Error(
        `wasm backend: write of ${values.constructor.name} of length ${values.length} to a buffer of ${this.dtype}, length ${this.length}. Give a ${target.constructor.name} of that length`,
      );
    }
    // A copy: the owner may change the array before earlier runs are done.
    const copy = this.dtype === 'bool' ? Uint8Array.from(values, (value) => (value === 0 ? 0 : 1)) : values.slice();
    await this.home.inOrder(() => this.home.view(this).set(copy as Float32Array));
  }

  async read(): Promise<HostArray> {
    this.address('read');
    return this.home.inOrder(() => {
      const shared = this.home.view(this);
      const values = new (shared.constructor as new (length: number) => HostArray)(shared.length);
      values.set(shared as Float32Array);
      return values;
    });
  }

  free(): void {
    const address = this.address('free');
    this.#isFreed = true;
    this.home.freed(this, address);
  }
}
