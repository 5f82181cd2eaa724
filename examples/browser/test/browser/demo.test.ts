import { loadEmoji16, reconstruct } from '@evenkeel/edm2';
import type { RasterImage } from '@evenkeel/formats';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchChromium } from '../../../../packages/backend-wasm/test/browser/chromium.ts';
import { buildSite } from '../../build-site.mjs';
import { serveSite } from '../../serve-site.mjs';
import { DemoPage } from './demo-page.ts';
import { mainThreadTasks } from './main-thread-tasks.ts';
import { paintedInNode } from './painted-in-node.ts';
import { tinySnapshot, tinyValues } from './tiny-network.ts';

let [browser, folder, isolated, plain]: [Browser, string, Site, Site] = [] as never;
type Site = Awaited<ReturnType<typeof serveSite>>;

beforeAll(async () => {
  folder = await buildSite();
  browser = await launchChromium({ webgpu: true });
  isolated = await serveSite(folder);
  plain = await serveSite(folder, { isolated: false, base: '/some/where/' });
});
afterAll(async () => {
  await browser?.close();
  await isolated?.close();
  await plain?.close();
});

/** What the page says that computes, at least. */
const spoken = { js: 'Plain JavaScript', wasm: 'WebAssembly, ', webgpu: 'WebGPU, ', webgl2: 'gpu.js webgl2' };

/** Colours of a picture, of which a blank one has few. */
function colorCount({ data, channels }: RasterImage): number {
  const colors = new Set<number>();
  for (let i = 0; i < data.length; i += channels) {
    colors.add((data[i]! << 16) | (data[i + 1]! << 8) | data[i + 2]!);
  }
  return colors.size;
}

/**
 * The farthest two pixels are apart. Backends differ by some 1e-5 of a network's outputs, which are scaled by at most
 * sigmaData = 0.5, and Heun's steps shrink what earlier ones left: 1e-5 of the range that 255 levels are spread over, after a few
 * steps. So a pixel may fall on the other side of a level, and no farther.
 */
function farthest(a: Uint8Array, b: Uint8Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] as number))), 0);
}

describe('sampling', () => {
  let demo: DemoPage;
  beforeAll(async () => {
    demo = await DemoPage.open(browser, isolated.url);
  });
  afterAll(async () => {
    await demo?.page.close();
  });

  test('the shipped network paints as soon as the page is open, on all threads', async () => {
    expect(await demo.text('#sample-status')).toMatch(/^WebAssembly, (\d+ threads|one thread): step 16 of 16/);
    expect(await demo.page.locator('#machine-note').isVisible()).toBe(false);
    expect(await demo.text('#network option:checked')).toBe('emoji16, 122,880 images');
    const { classNames } = await loadEmoji16();
    expect(await demo.page.locator('#pictures figcaption').allInnerTexts()).toEqual([...classNames, ...classNames]);
    expect(colorCount(await demo.screenshot('#pictures'))).toBeGreaterThan(200);
  });

  test('steps can be looked at again', async () => {
    const last = await demo.pixels();
    const show = async (step: number, view: string) => {
      await demo.page.locator('#scrub').fill(String(step));
      await demo.page.locator(`input[value=${view}]`).check({ force: true });
      return demo.pixels();
    };
    expect(await show(16, 'noisy')).toEqual(last);
    expect(farthest(await show(0, 'noisy'), last)).toBeGreaterThan(100);
    expect(await demo.text('#step-text')).toBe('step 0 of 16, noise level 80');
    await demo.page.click('#play');
    await demo.untilText('#step-text', /^step 16 of 16/);
    expect(await demo.pixels()).toEqual(last);
    await show(16, 'expected');
  });

  test('what is no network is refused in one line, and nothing is lost', async () => {
    const values = await tinyValues(1);
    values.delete('unet.out_gain');
    const refused = async (pattern: RegExp) => {
      expect(await demo.untilText('#sample-error', pattern)).not.toContain('\n');
    };
    await demo.openFile('empty.safetensors', Buffer.alloc(0));
    await refused(/^empty.safetensors: is empty$/);
    await demo.openFile('text.safetensors', Buffer.from('no weights at all'));
    await refused(/text.safetensors: .* Is it a safetensors file\?/);
    await demo.openFile('other.safetensors', tinySnapshot(values));
    await refused(/^other.safetensors: lacks unet.out_gain/);
    await demo.page.fill('#url', 'weights/none.safetensors');
    await demo.page.click('#load-url');
    await refused(/weights\/none.safetensors: the server says 404 Not Found$/);
    expect(await demo.page.locator('#network option').count()).toBe(1);
  });

  test('stops, and starts again', async () => {
    await demo.page.locator('#steps').fill('64');
    await demo.page.selectOption('#count', '40');
    await demo.page.click('#paint');
    await demo.untilText('#sample-status', /step \d+ of 64/);
    await demo.page.click('#stop-paint');
    await demo.untilPainted();
    expect(await demo.text('#sample-status')).toBe('Stopped');
    expect(await demo.text('#step-text')).toMatch(/^step \d+ of 64/);
  });

  describe('by a network of the user', () => {
    const [count, steps] = [4, 3];

    beforeAll(async () => {
      await demo.openFile('late-0.10.safetensors', tinySnapshot(await tinyValues(1)));
      await demo.untilText('#network-hint', /^4 × 4 pixels, .* weights, 1 file$/);
    });

    test.each(['js', 'wasm', 'webgpu', 'webgl2'])('%s paints what Node paints', async (backend) => {
      await demo.paint({ backend, count, steps });
      expect((await demo.text('#sample-status')).startsWith(spoken[backend as 'js'])).toBe(true);
      expect(await demo.page.locator('#sample-error').isVisible()).toBe(false);
      const expected = await paintedInNode({ values: await tinyValues(1), count, steps });
      expect(new Set(expected).size).toBeGreaterThan(30);
      expect(farthest(await demo.pixels(), expected)).toBeLessThanOrEqual(1);
    });

    test('with an average that is made of two, guided by an earlier one', async () => {
      const [late, short, early] = await Promise.all([tinyValues(1), tinyValues(2), tinyValues(3)]);
      await demo.openFile('late-0.05.safetensors', tinySnapshot(short, { std: 0.05 }));
      await demo.dropFile('early.safetensors', tinySnapshot(early, { images: 512 }));
      await demo.untilText('#network-hint', /3 files$/);
      expect(await demo.page.locator('#drop').isVisible()).toBe(false);
      const lengths = await demo.page.locator('#length').getAttribute('max');
      await demo.page.locator('#length').fill(String(Math.floor(Number(lengths) / 2)));
      expect(await demo.text('#length-hint')).toBe('made after training, of the stored averages');
      await demo.page.locator('#guidance').fill('1.5');
      await demo.page.selectOption('#guide', { label: 'itself at 512 images (0.100)' });
      await demo.paint({ count, steps });

      const stored = [
        { images: 1024, std: 0.1, load: () => late },
        { images: 1024, std: 0.05, load: () => short },
        { images: 512, std: 0.1, load: () => early },
      ];
      const std = Number(await demo.text('#length-out'));
      const [values] = await reconstruct(stored, [{ images: 1024, std }]);
      const expected = await paintedInNode({ values: values!, guide: early, guidance: 1.5, count, steps });
      expect(farthest(await demo.pixels(), expected)).toBeLessThanOrEqual(1);
      expect(farthest(expected, await paintedInNode({ values: late, count, steps }))).toBeGreaterThan(1);
    });
  });

  test('and nothing was complained of', () => {
    expect(demo.complaints).toEqual([]);
  });
});

describe('training', () => {
  test('draws points, loss and magnitudes, and leaves the page free', async () => {
    const demo = await DemoPage.create(browser);
    const { page } = demo;
    const tasks = await mainThreadTasks(browser, page, async () => {
      await demo.goto(isolated.url);
      await page.getByRole('tab', { name: 'Sample' }).focus();
      await page.keyboard.press('ArrowRight');
      await page.locator('#train').waitFor();
      const blank = await demo.screenshot('#loss-chart');
      const bare = await demo.screenshot('#plane');
      await page.click('#train-start');
      await demo.untilText('#train-status', /step ([5-9]\d|\d{3,})/);
      await page.click('#train-pause');
      await demo.untilText('#train-status', /^Paused after \d+ steps/);
      expect(colorCount(await demo.screenshot('#loss-chart'))).toBeGreaterThan(colorCount(blank));
      expect(colorCount(await demo.screenshot('#magnitude-chart'))).toBeGreaterThan(colorCount(blank));
      expect(colorCount(await demo.screenshot('#plane'))).toBeGreaterThan(colorCount(bare));
      expect(Number(await demo.text('#loss-out'))).toBeGreaterThan(0);
    });
    expect(tasks.length).toBeGreaterThan(100);
    expect(tasks[0]).toBeLessThan(50);

    await page.click('#train-pause'); // goes on
    await demo.untilText('#train-status', /step \d/);
    await page.click('#train-end');
    await demo.untilText('#train-status', /^Ended$/);
    expect(demo.complaints).toEqual([]);
    await page.close();
  });

  test('a graphics card trains, too', async () => {
    const demo = await DemoPage.create(browser);
    const { page } = demo;
    await page.goto(`${isolated.url}?backend=webgpu#train`);
    await page.selectOption('#width', '16');
    await page.selectOption('#batch', '256');
    await page.click('#train-start');
    await demo.untilText('#train-status', /^WebGPU, .*, 1,089 weights: step \d/);
    await page.click('#train-end');
    await demo.untilText('#train-status', /^Ended$/);
    expect(demo.complaints).toEqual([]);
    await page.close();
  });

  test('emoji are learned, and painted with what was learned', async () => {
    const demo = await DemoPage.create(browser);
    const { page } = demo;
    await page.goto(`${isolated.url}#train`);
    await page.selectOption('#task', 'emoji16');
    await page.selectOption('#width', '8');
    await page.selectOption('#batch', '4');
    await page.click('#train-start');
    await demo.untilText('#train-status', /step \d/);
    expect(colorCount(await demo.screenshot('#train-pictures'))).toBeGreaterThan(200);
    await page.click('#paint-learned');
    await demo.untilText('#network option:checked', /^emoji16, [1-9]\d* images$/);
    expect(await page.locator('#sample').isVisible()).toBe(true);
    await demo.paint({ count: 4, steps: 4 });
    expect(new Set(await demo.pixels()).size).toBeGreaterThan(50);
    expect(demo.complaints).toEqual([]);
    await page.close();
  });
});

describe('a static site in a folder, in a browser without graphics', () => {
  test('says what is missing and why, and paints with one thread', async () => {
    const demo = await DemoPage.create(browser, { lacking: ['WebGPU', 'WebGL 2'] });
    await demo.goto(`${plain.url}?backend=webgpu`);
    expect(await demo.page.inputValue('#backend')).toBe('wasm');
    expect(await demo.page.locator('#backend option:disabled').allInnerTexts()).toEqual([
      'WebGPU (not here)',
      'gpu.js, WebGL 2 (not here)',
    ]);
    const note = await demo.text('#machine-note');
    expect(note).toContain('WebGPU: this browser has none.');
    expect(note).toContain('WebGL 2: this browser has no WebGL 2 for workers.');
    expect(note).toContain('WebAssembly has one thread: the server does not isolate the page');
    expect(await demo.text('#sample-status')).toMatch(/^WebAssembly, one thread: step 16 of 16/);
    expect(colorCount(await demo.screenshot('#pictures'))).toBeGreaterThan(200);
    expect(demo.complaints).toEqual([]);
    await demo.page.close();
  });
});
