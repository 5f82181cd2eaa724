import { backendConformance } from '@evenkeel/tensor/testing';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchChromium, type Site, serve } from '../../../backend-wasm/test/browser/chromium.ts';
import { webgpu } from '../../src/index.ts';
import type { ConformancePage } from './page.ts';

const names = backendConformance(() => webgpu(), { executedKernels: () => 0 }).map(({ name }) => name);
const numRuns = 2;

describe('Chromium', () => {
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

  test('has a device', async () => {
    const device = await page.evaluate((runs) => {
      const { conformancePage } = globalThis as unknown as { conformancePage: ConformancePage };
      return conformancePage.start(runs);
    }, numRuns);
    expect(device).not.toBe('');
  });

  test.each(names)('%s', async (name) => {
    const failure = await page.evaluate((which) => {
      const { conformancePage } = globalThis as unknown as { conformancePage: ConformancePage };
      return conformancePage.check(which);
    }, name);
    expect(failure).toBeUndefined();
  });
});
