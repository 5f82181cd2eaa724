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

  test('what fails in WebGL 2 is said with its limit or its step, and the page goes on', async () => {
    const { tooLarge, full, afterFull, lost, afterLoss } = await page.call('failWebgl2');
    expect(tooLarge).toMatch(/65 x float32 .* above the limit of textures of 8 x 8, the largest here/);
    expect(full).toMatch(/step 0 of 1 \(row .*sum.*\) failed: no memory for a texture of \d+ x \d+/);
    expect(afterFull).toBe(200);
    expect(lost).toMatch(/the WebGL context was lost\. Make a new backend by gpujs\(\)/);
    expect(afterLoss).toBe(120);
  });

  test('what only Node has is refused', async () => {
    const refused = page.call('multiply', { name: 'gpujs', mode: 'headlessgl' });
    await expect(refused).rejects.toThrow('headlessgl: only Node has it');
  });
});
