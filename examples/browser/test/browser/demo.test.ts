import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchChromium } from '../../../../packages/backend-wasm/test/browser/chromium.ts';
import { buildSite } from '../../build-site.mjs';
import { serveSite } from '../../serve-site.mjs';
import { DemoPage } from './demo-page.ts';

let [browser, folder]: [Browser | undefined, string] = [undefined, ''];
beforeAll(async () => {
  folder = await buildSite();
  browser = await launchChromium({ webgpu: true });
});
afterAll(() => browser?.close());

describe('the demo', () => {
  test('paints on WebAssembly', async () => {
    const site = await serveSite(folder);
    const demo = await DemoPage.open(browser as Browser, site.url);
    await demo.paint('wasm');
    expect(await demo.text('#sample-status')).toMatch(/^WebAssembly, .* threads?: step 3 of 3/);
    expect(new Set(await demo.pixels()).size).toBeGreaterThan(50);
    expect(demo.complaints).toEqual([]);
    await site.close();
  });
});
