import { tensor, withBackend } from '@evenkeel/tensor';
import { expect, test, vi } from 'vitest';
import { type GpujsBackend, gpujs } from '../src/index.ts';

/** Installed from this repository, `gl` is an empty package: the real one is built natively, which takes minutes. */
const missing = /headlessgl: (it needs the package gl, built natively|the package gl makes no context here\. On Linux)/;

test('headlessgl computes where there is gl and a display; else it says what it lacks, and another backend computes', async () => {
  const warn = vi.fn();
  const backend: GpujsBackend = await gpujs({ mode: 'headlessgl', warn });
  if (backend.mode === undefined) {
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringMatching(missing));
    expect(backend.describe()).toBe('js, as gpu.js does not run here');
  } else expect([backend.describe(), warn.mock.calls]).toEqual(['gpu.js headlessgl', []]);
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);
  const product = await withBackend(backend, () => x.matmul(x.transpose()).data());
  expect([...product]).toEqual([5, 11, 11, 25]);
  await backend.dispose();
});
