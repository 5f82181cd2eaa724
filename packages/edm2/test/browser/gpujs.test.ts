import { describe, expect, test } from 'vitest';
import { chromiumPage } from '../../../../test/browser/chromium-page.ts';

describe('EDM2 on gpu.js by WebGL 2 in Chromium', () => {
  const page = chromiumPage({ webgpu: true });

  test('a training step has nothing on the host but random bits', async () => {
    const { steps, onHost } = await page.call('hostSteps', 'webgl2');
    expect(steps).toBeGreaterThan(100);
    expect(onHost.length).toBeGreaterThan(0);
    for (const reason of onHost) expect(reason).toMatch(/^random bits/);
  });

  test('50 training steps hold no more than four', async () => {
    const { held, losses } = await page.call('trainHolding', 'webgl2', [4, 50]);
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(held[1]).toEqual({ ...held[0], step: 50 });
  });
});
