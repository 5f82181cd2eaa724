import { tensor, withBackend } from '@evenkeel/tensor';
import * as gpu from 'gpu.js';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { GpujsBackend } from '../src/index.ts';
import type { GpuDevice } from '../src/storage/webgpu-device.ts';
import { noWebgpu, openBackend } from './backends.ts';

const opened: GpujsBackend[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const backend of opened.splice(0)) await backend.dispose();
});

async function open(mode: 'webasm' | 'webgpu'): Promise<GpujsBackend> {
  const backend = await openBackend(mode);
  opened.push(backend);
  return backend;
}

const sum = (backend: GpujsBackend, length: number): Promise<number> => {
  return withBackend(backend, () => tensor(new Float32Array(length).fill(1)).mul(2).sum().item());
};

describe('on WebAssembly', () => {
  test('a kernel that there is no memory for is named, and the next one runs', async () => {
    const backend = await open('webasm');
    const scope = globalThis as unknown as { WebAssembly: { Memory(): void } };
    vi.spyOn(scope.WebAssembly, 'Memory').mockImplementationOnce(function fail() {
      throw new RangeError('could not allocate memory');
    });
    await expect(sum(backend, 100)).rejects.toThrow(/step 0 of 1 \(row .*sum.*\) failed: could not allocate memory/);
    vi.restoreAllMocks();
    expect(await sum(backend, 100)).toBe(200);
  });
});

type LosableDevice = GpuDevice & { readonly lost: Promise<unknown> };

/** gpu.js's one device, which its types do not tell of. */
async function deviceOf(): Promise<LosableDevice> {
  const { WebGPUContext } = gpu as unknown as { WebGPUContext: { acquire(): Promise<{ device: LosableDevice }> } };
  return (await WebGPUContext.acquire()).device;
}

describe.skipIf(noWebgpu)('on WebGPU', () => {
  test('a lost device is said with the step, and a new backend computes', async () => {
    const backend = await open('webgpu');
    expect(await sum(backend, 100)).toBe(200);
    const device = await deviceOf();
    device.destroy();
    await device.lost;
    await expect(sum(backend, 100)).rejects.toThrow(/the WebGPU device was lost. Make a new backend by gpujs\(\)/);
    expect(await sum(await open('webgpu'), 100)).toBe(200);
  });

  test('memory that there is not is told late, with the step that wanted it', async () => {
    const backend = await open('webgpu');
    const device = await deviceOf();
    const create = device.createBuffer.bind(device);
    const pop = device.popErrorScope.bind(device);
    let isFull = false;
    vi.spyOn(device, 'createBuffer').mockImplementation((options) => {
      isFull = options.size === 4 * 777;
      return create(options);
    });
    vi.spyOn(device, 'popErrorScope').mockImplementation(async () => {
      const message = isFull ? 'full' : undefined;
      isFull = false;
      return message === undefined ? pop() : pop().then(() => ({ message }));
    });
    const squares = withBackend(backend, () =>
      tensor(new Float32Array(111))
        .reshape([111, 1])
        .add(tensor(new Float32Array(7)))
        .data(),
    );
    await expect(squares).rejects.toThrow(
      /step 0 of 1 \(row .*add.*\) failed: no memory for 3108 bytes on the device \(full\)/,
    );
    vi.restoreAllMocks();
    expect(await sum(backend, 100)).toBe(200);
  });
});
