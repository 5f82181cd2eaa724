import { createJsBackend } from '@evenkeel/tensor';
import { backendConformance } from '@evenkeel/tensor/testing';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchChromium, type Site, serve } from '../../packages/backend-wasm/test/browser/chromium.ts';
import type { BackendChoice, ConformancePage } from './page.ts';

/** The page of `page.ts` in Chromium, open while the tests of a `describe` run. */
export interface ChromiumPage {
  call<Method extends keyof ConformancePage>(
    method: Method,
    ...values: Parameters<ConformancePage[Method]>
  ): Promise<Awaited<ReturnType<ConformancePage[Method]>>>;
}

/** Opens it before the tests of the `describe` around, and closes it after them. */
export function chromiumPage({
  isolated = false,
  ...launch
}: {
  isolated?: boolean;
  wide?: boolean;
  webgpu?: boolean;
} = {}): ChromiumPage {
  let site: Site | undefined;
  let browser: Browser | undefined;
  let page: Page;
  beforeAll(async () => {
    site = await serve(new URL('./page.ts', import.meta.url));
    browser = await launchChromium(launch);
    page = await site.open(browser, { isolated });
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });
  return {
    call(method, ...values) {
      const call = ([name, given]: readonly [string, readonly unknown[]]): unknown => {
        const scope = globalThis as unknown as { conformancePage: Record<string, (...all: unknown[]) => unknown> };
        return scope.conformancePage[name]?.(...given);
      };
      return page.evaluate(call, [method, values] as const) as never;
    },
  };
}

/** What a backend in the page says of itself, and every check of the conformance suite. */
export function testConformance(
  page: ChromiumPage,
  choice: BackendChoice,
  expected: { numRuns: number; described: string | RegExp; isIsolated?: boolean },
): void {
  const { numRuns, described, isIsolated = false } = expected;
  const counted = choice.name === 'wasm' ? {} : { executedKernels: () => 0 };
  const names = backendConformance(() => createJsBackend(), counted).map(({ name }) => name);

  test('is what was asked for', async () => {
    const started = await page.call('start', choice, numRuns);
    expect(started).toEqual({ described: expect.stringMatching(described), isIsolated });
  });

  test.each(names)('%s', async (name) => {
    expect(await page.call('check', name)).toBeUndefined();
  });
}
