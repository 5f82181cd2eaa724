import { compile, createJsBackend, tensor, withBackend } from '@evenkeel/tensor';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type GpujsBackend, gpujs } from '../src/index.ts';
import { openBackend } from './backends.ts';

describe('which mode runs', () => {
  test('one that gpu.js would run as another is refused, with the reason', async () => {
    // Node has no WebGL.
    await expect(gpujs({ mode: 'webgl2', fallback: false })).rejects.toThrow(/gpujs: no mode .* works here \(webgl2: /);
  });

  test('another backend computes where none works, and one line says so', async () => {
    const warn = vi.fn();
    const backend = await gpujs({ mode: 'webgl2', warn });
    expect(warn).toHaveBeenCalledExactlyOnceWith(
      expect.stringMatching(/^gpujs: no mode of gpu\.js works here .*; the js backend computes instead$/),
    );
    expect(backend.describe()).toBe('js, as gpu.js does not run here');
    expect(await withBackend(backend, () => tensor([1, 2, 3]).square().sum().item())).toBe(14);
    await backend.dispose();
  });

  test('the fallback is the one that was given', async () => {
    const fallback = createJsBackend();
    const backend = await gpujs({ mode: 'webgl2', fallback, warn: () => {} });
    expect([backend.name, backend.mode]).toEqual([fallback.name, undefined]);
  });

  test('what is out of range is said', async () => {
    await expect(gpujs({ mode: 'vulkan' as 'webgpu' })).rejects.toThrow(
      'gpujs: mode is vulkan. It must be webgpu, webgl2, webgl, headlessgl, webasm, cpu, or left out',
    );
  });

  test("gpu.js's own JavaScript computes too", async () => {
    const backend = await openBackend('cpu');
    expect(backend.describe()).toBe('gpu.js cpu');
    const x = tensor([1, 2, 3]);
    expect(await withBackend(backend, () => x.exp().div(x.exp().sum()).sum().item())).toBeCloseTo(1, 6);
    await backend.dispose();
  });
});

describe('on WebAssembly', () => {
  let backend: GpujsBackend;
  afterEach(() => backend?.dispose());

  test('a tensor above the limit is refused by its name', async () => {
    backend = await openBackend('webasm');
    expect(() => backend.allocate({ dtype: 'float32', length: 2 ** 24 + 1 })).toThrow(
      /16777217 x float32 .* above the limit of 2\^24 numbers, up to which gpu.js counts exactly/,
    );
    // A whole number is two.
    expect(() => backend.allocate({ dtype: 'int32', length: 2 ** 23 + 1 })).toThrow(
      /8388609 x int32 .* above the limit/,
    );
  });

  test('200 steps leave nothing behind', async () => {
    backend = await openBackend('webasm');
    await withBackend(backend, async () => {
      const step = compile((x: ReturnType<typeof tensor>, rate: number) => x.sub(x.softmax().mul(rate)));
      const start = tensor([0.5, 1, 2, 4]);
      let held: number | undefined;
      let compiled: number | undefined;
      for (let i = 0; i < 200; i++) {
        await (await step(start, 1 / (i + 1))).data();
        if (i === 1) [held, compiled] = [backend.statistics?.handles, backend.statistics?.compiled];
      }
      expect(backend.statistics).toMatchObject({ handles: held, compiled });
    });
  });
});
