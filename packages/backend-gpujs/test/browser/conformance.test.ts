import { createJsBackend } from '@evenkeel/tensor';
import { backendConformance } from '@evenkeel/tensor/testing';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchChromium, type Site, serve } from '../../../backend-wasm/test/browser/chromium.ts';
import type { GpujsMode } from '../../src/index.ts';
import type { ConformancePage } from './page.ts';

const names = backendConformance(() => createJsBackend(), { executedKernels: () => 0 }).map(({ name }) => name);
const numRuns = 1;

type Scope = { conformancePage: ConformancePage };

describe('gpu.js in Chromium', () => {
  let site: Site;
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    site = await serve(new URL('./page.ts', import.meta.url));
    browser = await launchChromium({ webgpu: true });
    page = await site.open(browser);
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  test('webgl2 runs', async () => {
    const start = (runs: number) => (globalThis as unknown as Scope).conformancePage.start('webgl2', runs);
    expect(await page.evaluate(start, numRuns)).toBe('gpu.js webgl2');
  });

  test.each(names)('%s', async (name) => {
    const check = (which: string) => (globalThis as unknown as Scope).conformancePage.check(which);
    expect(await page.evaluate(check, name)).toBeUndefined();
  });

  const smoke = (mode?: GpujsMode) => (globalThis as unknown as Scope).conformancePage.smoke(mode);

  /** x xᵀ of 0 ... 11 in three rows, less the rows' sums. */
  const expected = [8, 32, 56, 16, 104, 192, 24, 176, 328];

  test.each(['webgpu', 'webgl'] as const)('%s computes', async (mode) => {
    expect(await page.evaluate(smoke, mode)).toEqual({ described: `gpu.js ${mode}`, values: expected });
  });

  test('WebGPU is taken where nothing is said', async () => {
    expect((await page.evaluate(smoke, undefined)).described).toBe('gpu.js webgpu');
  });
});
