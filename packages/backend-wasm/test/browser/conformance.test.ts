import { backendConformance } from '@evenkeel/tensor/testing';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { wasm } from '../../src/index.ts';
import { cells, numRuns } from '../conformance-cells.ts';
import { launchChromium, type Site, serve } from './chromium.ts';
import type { ConformancePage } from './page.ts';

const names = backendConformance(() => wasm()).map(({ name }) => name);

describe('Chromium', () => {
  let site: Site;
  beforeAll(async () => {
    site = await serve(new URL('./page.ts', import.meta.url));
  });
  afterAll(() => site?.close());

  describe.each(cells.filter(({ place }) => place !== 'Node'))(
    '$place, $threads threads, $instructions, shared $shared',
    ({ place, threads, instructions, shared }) => {
      let browser: Browser;
      let page: Page;
      beforeAll(async () => {
        browser = await launchChromium({ wide: instructions === 'wide' });
        page = await site.open(browser, { isolated: place === 'isolated page' });
      });
      afterAll(() => browser?.close());

      test('is isolated or not, and has its threads', async () => {
        // A page that is not isolated finds out by itself that it cannot share.
        const options = { threads: 4, instructions, ...(place === 'page' ? {} : { threads, shared }) };
        const started = await page.evaluate(
          async ([given, runs]) => {
            const { conformancePage } = globalThis as unknown as { conformancePage: ConformancePage };
            return [conformancePage.isIsolated, await conformancePage.start(given, runs)];
          },
          [options, numRuns] as const,
        );
        expect(started).toEqual([place === 'isolated page', threads]);
      });

      test.each(names)('%s', async (name) => {
        const failure = await page.evaluate((which) => {
          const { conformancePage } = globalThis as unknown as { conformancePage: ConformancePage };
          return conformancePage.check(which);
        }, name);
        expect(failure).toBeUndefined();
      });
    },
  );
});
