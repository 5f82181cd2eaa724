import { describe, expect, test } from 'vitest';
import { chromiumPage, testConformance } from '../../../../test/browser/chromium-page.ts';

describe('gpu.js in Chromium', () => {
  const page = chromiumPage({ webgpu: true });
  testConformance(page, { name: 'gpujs', mode: 'webgl2' }, { numRuns: 1, described: 'gpu.js webgl2' });

  /** x xᵀ of 0 ... 11 in three rows, less the rows' sums. */
  const product = [8, 32, 56, 16, 104, 192, 24, 176, 328];

  test.each(['webgpu', 'webgl'] as const)('%s computes', async (mode) => {
    const computed = await page.call('multiply', { name: 'gpujs', mode });
    expect(computed).toEqual({ described: `gpu.js ${mode}`, values: product });
  });

  test('WebGPU is taken where nothing is said', async () => {
    expect((await page.call('multiply', { name: 'gpujs' })).described).toBe('gpu.js webgpu');
  });

  test('what only Node has is refused', async () => {
    const refused = page.call('multiply', { name: 'gpujs', mode: 'headlessgl' });
    await expect(refused).rejects.toThrow('headlessgl: only Node has it');
  });
});
