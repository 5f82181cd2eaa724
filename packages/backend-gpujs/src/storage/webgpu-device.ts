/** What is used of WebGPU. */
export interface GpuDevice {
  readonly limits: { readonly maxStorageBufferBindingSize: number; readonly maxBufferSize: number };
  readonly queue: {
    submit(commands: readonly unknown[]): void;
    writeBuffer(buffer: GpuBuffer, offset: number, values: Float32Array): void;
    onSubmittedWorkDone(): Promise<unknown>;
  };
  createBuffer(options: { size: number; usage: number }): GpuBuffer;
  createCommandEncoder(): {
    copyBufferToBuffer(from: GpuBuffer, start: number, to: GpuBuffer, at: number, bytes: number): void;
    finish(): unknown;
  };
  pushErrorScope(filter: 'validation' | 'out-of-memory'): void;
  popErrorScope(): Promise<{ readonly message: string } | null>;
  destroy(): void;
}

export interface GpuBuffer {
  mapAsync(mode: number): Promise<void>;
  getMappedRange(): ArrayBuffer;
  destroy(): void;
}

/** gpu.js's one device, and whether it was lost. */
export interface WebgpuContext {
  readonly device: GpuDevice;
  readonly isLost: boolean;
}
