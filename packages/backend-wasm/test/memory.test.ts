import { conv, explain, Generator, memory, type Tensor, withBackend } from '@evenkeel/tensor';
import type { ScratchItem } from '@evenkeel/tensor/kernel';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type WasmBackend, type WasmOptions, wasm } from '../src/index.ts';
import { chain, strided } from './plans.ts';

let made: WasmBackend | undefined;
afterEach(async () => {
  vi.restoreAllMocks();
  await made?.dispose();
});

function backendOf(options: WasmOptions): WasmBackend {
  made = wasm(options);
  return made;
}

const product = (size: number): Tensor => {
  const random = new Generator(1);
  return random
    .normal([size, size])
    .matmul(random.normal([size, size]))
    .sum();
};
const bytesOf = (items: readonly ScratchItem[]): number => items.reduce((sum, { bytes }) => sum + bytes, 0);

describe.each([{ threads: 2 }, { shared: false }])('memory, %o', (options) => {
  test('explain and memory() count what kernels work in', async () => {
    await withBackend(backendOf(options), async () => {
      const explained = explain(product(300));
      expect(explained.scratch.map(({ what }) => what)).toContainEqual(
        expect.stringMatching(/^for each of \d threads .* of step \d \(matmul b1 m300 n300 k300/),
      );
      expect(explained.peakBytes).toBe(4 + bytesOf(explained.scratch));
      expect(String(explained)).toContain('works in temporaries');
      await product(300).data();
      expect(memory().scratch).toBe(bytesOf(explained.scratch));
    });
  });

  test('a run that does not fit is refused before anything is allocated, itemized', async () => {
    const backend = backendOf({ ...options, memoryBytes: 2 ** 20 });
    await withBackend(backend, async () => {
      await expect(product(300).data()).rejects.toThrow(
        /^memory: this run needs .*, backend 'wasm' has 1 MiB: .*temporaries .*, for each of \d threads .* of step \d \(matmul/,
      );
      expect(memory()).toMatchObject({ total: 0, scratch: 0, running: 0 });
      expect(Number.isFinite(await product(16).item())).toBe(true);
    });
  });

  test('a plan that is given without asking is refused too, and nothing is left behind', async () => {
    const length = 2 ** 16;
    const backend = backendOf({ ...options, memoryBytes: 2 ** 20 });
    const input = backend.allocate({ dtype: 'float32', length });
    const fits = await backend.compile(chain(length, [strided(length, 1), strided(length, 1)]));
    const tooMuch = await backend.compile(chain(length, new Array(4).fill(strided(length, 1))));
    const call = { inputs: [input], arguments: new Float64Array() };
    for (let i = 0; i < 3; i++) {
      expect(() => backend.run(tooMuch, call)).toThrow(
        /^wasm backend: no room for temporaries 768 KiB, outputs 256 KiB, tables of the plan .* The limit is 1 MiB; 1 buffers hold 256 KiB \(largest: 256 KiB float32\), scratch/,
      );
      const { outputs, done } = backend.run(fits, call);
      await done;
      outputs[0]?.free();
    }
    fits.dispose();
    // Scratch memory that a run will need counts before the run comes to it.
    const again = await backend.compile(chain(length, [strided(length, 1), strided(length, 1)]));
    const { outputs } = backend.run(again, call);
    expect(() => backend.allocate({ dtype: 'float32', length: 2 * length })).toThrow(
      /^wasm backend: no room for a buffer of 131072 x float32 512 KiB. The limit is 1 MiB/,
    );
    expect((await outputs[0]?.read())?.length).toBe(length);
  });
});

test('what Winograd works in is told', async () => {
  await withBackend(backendOf({ threads: 2 }), async () => {
    const random = new Generator(1);
    const output = conv(random.normal([4, 64, 32, 32]), random.normal([64, 64, 3, 3]), { padding: 1 });
    expect(String(explain(output))).toMatch(
      /works in .*Winograd tiles of step \d \(conv forward 3x3.*\) [\d.]+ [KM]iB/,
    );
  });
});

test('what the machine does not give is told', async () => {
  vi.spyOn(WebAssembly.Memory.prototype, 'grow').mockImplementation(() => {
    throw new RangeError('no more');
  });
  const backend = backendOf({ threads: 1 });
  expect(() => backend.allocate({ dtype: 'float32', length: 2 ** 20 })).toThrow(
    /^wasm backend: no room for a buffer of 1048576 x float32 4 MiB. The limit is 4 GiB; the machine has no more, or what is free/,
  );
  vi.spyOn(WebAssembly, 'Memory').mockImplementation(
    class {
      constructor() {
        throw new RangeError('could not allocate memory');
      }
    } as never,
  );
  expect(() => wasm({ memoryBytes: 2 ** 31 })).toThrow(
    /^wasm: the machine does not reserve addresses for 2 GiB of shared memory \(RangeError: could not allocate memory\). Give/,
  );
});

test('a plan beyond 4 GiB is refused at once', async () => {
  const length = 2 ** 28;
  const backend = backendOf({ threads: 1 });
  const { scratchBytes } = await backend.compile(chain(length, new Array(5).fill(strided(length, 1))));
  expect(scratchBytes).toBeGreaterThan(2 ** 32 - 1);
  await withBackend(backend, async () => {
    const huge = new Generator(1).normal([2 ** 14, 2 ** 14]);
    const sorted = huge.matmul(huge).matmul(huge.add(1)).add(huge.matmul(huge)).sum();
    await expect(sorted.data()).rejects.toThrow(/^memory: this run needs .*temporaries \d+ GiB/);
  });
});
