import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WasmOptions } from '../../src/index.ts';
import { launchChromium, type Site, serve } from './chromium.ts';
import type { Probe, ProbePage } from './page.ts';

let [site, browser]: [Site | undefined, Browser | undefined] = [undefined, undefined];
beforeAll(async () => {
  site = await serve(new URL('./page.ts', import.meta.url));
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  await site?.close();
});

async function probe(where: { isolated?: boolean; strict?: boolean }, options: WasmOptions): Promise<Probe> {
  const page = await (site as Site).open(browser as Browser, where);
  try {
    return await page.evaluate((given) => {
      const { conformancePage } = globalThis as unknown as { conformancePage: ProbePage };
      return conformancePage.probe(given);
    }, options);
  } finally {
    await page.close();
  }
}

describe('in Chromium', () => {
  test.each([
    [{ isolated: true }, { threads: 2 }],
    [{ isolated: true }, { shared: false }],
    [{ isolated: false }, {}],
  ])('%o, %o: the page is free while a plan runs, and a trap is told', async (where, options) => {
    const { turns, failures } = await probe(where, options);
    expect(turns).toBeGreaterThan(5);
    expect(failures).toEqual([
      undefined,
      expect.stringMatching(/step 0 of 1 \(row \[262144\]: add\) failed: RuntimeError: memory access out of bounds/),
      undefined,
    ]);
  });

  test('a page whose policy forbids workers is told so', async () => {
    const { failures } = await probe({ strict: true }, {});
    for (const failure of failures) expect(failure).toContain('A content security policy must allow worker-src blob:');
  });

  test('shared memory is refused where there is none', async () => {
    await expect(probe({}, { shared: true })).rejects.toThrow(
      'wasm: shared is true, but this page cannot share memory',
    );
  });
});
