import { backendConformance } from '@evenkeel/tensor/testing';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import wabt from 'wabt';
import { wasm } from '../src/index.ts';
import { launchChromium, type Site, serve } from './browser/chromium.ts';
import type { ConformancePage } from './browser/page.ts';
import { pairwise } from './pairwise.ts';

const cells = pairwise(
  {
    threads: [1, 2, 4],
    instructions: ['plain', 'relaxed', 'wide'],
    shared: [true, false],
    place: ['Node', 'isolated page', 'page'],
  } as const,
  ({ threads, shared, place }) => (shared || threads === 1) && (place !== 'page' || !shared),
);
const features = { threads: true, simd: true, relaxed_simd: true, bulk_memory: true, sat_float_to_int: true };
const numRuns = 4;
const names = backendConformance(() => wasm()).map(({ name }) => name);

describe.each(cells.filter(({ place }) => place === 'Node'))(
  '$place, $threads threads, $instructions, shared $shared',
  ({ place, ...options }) => {
    const modules: Uint8Array<ArrayBuffer>[] = [];
    const { compile } = WebAssembly;
    beforeAll(() => {
      WebAssembly.compile = (bytes) => {
        modules.push(bytes as Uint8Array<ArrayBuffer>);
        return compile(bytes);
      };
    });
    afterAll(() => {
      WebAssembly.compile = compile;
    });

    for (const { name, run } of backendConformance(() => wasm({ ...options, experimental: true }), { numRuns })) {
      test(name, run);
    }

    test('every module is valid to another tool', async () => {
      const tools = await wabt();
      expect(modules).not.toEqual([]);
      for (const bytes of modules) {
        const module = tools.readWasm(bytes, { check: true, readDebugNames: false, ...features });
        // Its types do not say that it takes them here too.
        const checked: { validate(options: object): void } = module;
        checked.validate(features);
        module.destroy();
      }
    });
  },
);

describe('Chromium', () => {
  let site: Site;
  beforeAll(async () => {
    site = await serve(new URL('./browser/page.ts', import.meta.url));
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
