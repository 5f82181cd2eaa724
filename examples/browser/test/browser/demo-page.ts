import { decodePng, type RasterImage } from '@evenkeel/formats';
import type { Browser, Page } from 'playwright-core';

/** What a page is to seem to lack. */
export type Lacking = 'WebGPU' | 'WebGL 2';

/** What makes a worker lack it. */
const removals: Readonly<Record<Lacking, string>> = {
  WebGPU: "Object.defineProperty(navigator, 'gpu', { value: undefined });",
  'WebGL 2': 'OffscreenCanvas.prototype.getContext = () => null;',
};

/** The page as a test drives it. */
export class DemoPage {
  /** What should not have been said: errors and warnings of the console, and what nobody caught. */
  readonly complaints: string[] = [];
  readonly page: Page;

  private constructor(page: Page) {
    this.page = page;
  }

  static async create(browser: Browser, { lacking = [] as readonly Lacking[] } = {}): Promise<DemoPage> {
    const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
    page.setDefaultTimeout(120_000); // a busy machine takes many times as long as an idle one
    const demo = new DemoPage(page);
    page.on('pageerror', ({ message }) => demo.complaints.push(message));
    page.on('console', (message) => {
      // Of a file that is not there browsers complain themselves.
      if (message.location().url.endsWith('none.safetensors')) return;
      if (message.type() === 'error' || message.type() === 'warning') demo.complaints.push(message.text());
    });
    if (lacking.length > 0) {
      await page.route('**/*-worker.js', async (route) => {
        const response = await route.fetch();
        const removed = lacking.map((what) => removals[what]).join('\n');
        await route.fulfill({ response, body: `${removed}\n${await response.text()}` });
      });
    }
    return demo;
  }

  static async open(browser: Browser, url: string, options: { lacking?: readonly Lacking[] } = {}): Promise<DemoPage> {
    const demo = await DemoPage.create(browser, options);
    await demo.goto(url);
    return demo;
  }

  /** Opens an address, and waits until the first pictures, or what took their place, are there. */
  async goto(url: string): Promise<void> {
    await this.page.goto(url);
    await this.page.waitForFunction(() => !document.querySelector<HTMLButtonElement>('#save')?.disabled);
  }

  /** Opens a file of weights by the button. */
  async openFile(name: string, content: Buffer): Promise<void> {
    await this.page.setInputFiles('#files', { name, mimeType: 'application/octet-stream', buffer: content });
  }

  /** Drops a file on the page. */
  async dropFile(name: string, content: Buffer): Promise<void> {
    const carried = await this.page.evaluateHandle(
      ([file, bytes]) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([Uint8Array.from(bytes)], file));
        return transfer;
      },
      [name, [...content]] as const,
    );
    for (const type of ['dragenter', 'dragover', 'drop']) {
      await this.page.dispatchEvent('body', type, { dataTransfer: carried });
    }
  }

  /** Paints, and waits for the last step. */
  async paint({ backend = 'wasm', count = 4, steps = 2 }): Promise<void> {
    const { page } = this;
    await page.selectOption('#backend', backend);
    await page.selectOption('#count', String(count));
    await page.locator('#steps').fill(String(steps));
    await page.click('#paint');
    await this.untilPainted();
  }

  async untilPainted(): Promise<void> {
    await this.page.waitForFunction(() => document.querySelector<HTMLButtonElement>('#stop-paint')?.disabled);
  }

  /** RGBA of all pictures of the tab that paints. */
  async pixels(): Promise<Uint8Array> {
    await this.nextFrame();
    const values = await this.page.evaluate(() => {
      return [...document.querySelectorAll<HTMLCanvasElement>('#pictures canvas')].flatMap((canvas) => [
        ...(canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? []),
      ]);
    });
    return Uint8Array.from(values);
  }

  /** A part of the page as it looks. */
  async screenshot(selector: string): Promise<RasterImage> {
    await this.nextFrame();
    return decodePng(await this.page.locator(selector).screenshot());
  }

  /** What was asked for in a frame is drawn in the next. */
  async nextFrame(): Promise<void> {
    await this.page.evaluate(
      () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
    );
  }

  text(selector: string): Promise<string> {
    return this.page.locator(selector).innerText();
  }

  /** Waits until a part of the page says something, and gives it. */
  async untilText(selector: string, pattern: RegExp): Promise<string> {
    await this.page.locator(selector).filter({ hasText: pattern }).waitFor({ state: 'attached' });
    return this.text(selector);
  }
}
