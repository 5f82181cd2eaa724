import { profile, tensor, withBackend } from '@evenkeel/tensor';
import { expect, test } from 'vitest';
import { wasm } from '../src/index.ts';

test('threads tell how long they were busy', async () => {
  const backend = wasm({ threads: 2 });
  try {
    await withBackend(backend, async () => {
      const x = tensor(new Float32Array(1000));
      const { busyMilliseconds, runs } = await profile(() => x.exp().data(), { kernels: false });
      expect(runs).toBe(1);
      expect(busyMilliseconds).toBeGreaterThanOrEqual(0);
    });
  } finally {
    await backend.dispose();
  }
});
