import { conv2d, Generator, withBackend } from '@evenkeel/tensor';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type WasmOptions, wasm } from '../src/index.ts';
import { settle } from '../src/options.ts';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe('options', () => {
  test.each<[WasmOptions, string]>([
    [{ threads: 0 }, 'wasm: threads is 0. It must be a whole number from 1 to 256, or leave it out for all cores'],
    [{ threads: Number.NaN }, 'wasm: threads is NaN. It must be'],
    [{ threads: 1.5 }, 'wasm: threads is 1.5. It must be'],
    [{ threads: '2' as never }, "wasm: threads is '2'. It must be"],
    [{ threads: 1e9 }, 'wasm: threads is 1000000000. It must be'],
    [{ memoryBytes: 2 ** 32 + 1 }, 'wasm: memoryBytes is 4294967297. It must be a number of bytes from 1 MiB'],
    [{ memoryBytes: 1000 }, 'wasm: memoryBytes is 1000. It must be'],
    [{ memoryBytes: Number.NaN }, 'wasm: memoryBytes is NaN. It must be'],
    [{ instructions: 'avx' as never }, "wasm: instructions is 'avx'. It must be 'plain', 'relaxed', 'wide'"],
    [{ experimental: 'yes' as never }, "wasm: experimental is 'yes'. It must be true or false"],
    [{ debug: 1 as never }, 'wasm: debug is 1. It must be true, false, or a function that is given the text'],
    [{ shared: 1 as never }, 'wasm: shared is 1. It must be true or false'],
  ])('%o is refused', (options, message) => {
    expect(() => wasm(options)).toThrow(message);
  });

  test('relaxed SIMD that the engine does not have is refused', () => {
    vi.spyOn(WebAssembly, 'validate').mockReturnValue(false);
    expect(() => wasm({ instructions: 'relaxed' })).toThrow(/no relaxed SIMD. Take 'plain' or leave it out/);
  });

  test('by default share memory among all cores, and use all that addresses reach', () => {
    const { threads, shared, memoryBytes } = settle({});
    expect(threads).toBeGreaterThanOrEqual(1);
    expect(shared).toBe(true);
    expect(memoryBytes).toBe(settle({ memoryBytes: 2 ** 32 }).memoryBytes);
  });

  test('fast convolutions are computed in another way, where they are asked for', async () => {
    const outputs = async (options: WasmOptions): Promise<Float32Array> => {
      const backend = wasm({ threads: 1, ...options });
      try {
        return await withBackend(backend, async () => {
          const random = new Generator(1);
          const image = random.normal([1, 8, 8, 8]);
          return await conv2d(image, random.normal([8, 8, 3, 3]), { padding: 1 }).data();
        });
      } finally {
        await backend.dispose();
      }
    };
    const usual = await outputs({});
    expect(await outputs({})).toEqual(usual);
    expect(await outputs({ fastConvolutions: true })).not.toEqual(usual);
  });

  test('without shared memory there is one thread', async () => {
    expect(settle({ shared: false, threads: 4 })).toMatchObject({ threads: 1, shared: false });
    const backend = wasm({ shared: false });
    expect(backend.capabilities.threads).toBe(1);
    await backend.dispose();
  });

  test('a page that is not isolated has no shared memory, and says how to get it', () => {
    vi.stubGlobal('crossOriginIsolated', false);
    expect(settle({ threads: 2 })).toMatchObject({ threads: 1, shared: false });
    expect(() => wasm({ shared: true })).toThrow(/not cross-origin isolated. Serve it with Cross-Origin-Opener-Policy/);
  });
});
