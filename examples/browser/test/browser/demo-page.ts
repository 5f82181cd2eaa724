import type { Browser, Page } from 'playwright-core';

/** The page as a test drives it. */
export class DemoPage {
  /** What should not have been said: errors and warnings of the console, and what nobody caught. */
  readonly complaints: string[] = [];
  readonly page: Page;

  private constructor(page: Page) {
    this.page = page;
  }

  /** Opens the page, without WebGPU where the browser should seem to have none. */
  static async open(browser: Browser, url: string, { webgpu = true } = {}): Promise<DemoPage> {
    const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
    const demo = new DemoPage(page);
    page.on('pageerror', ({ message }) => demo.complaints.push(message));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') demo.complaints.push(message.text());
    });
    // Workers look for it themselves.
    if (!webgpu)
      await page.route('**/*-worker.js', async (route) => {
        const response = await route.fetch();
        const body = `Object.defineProperty(navigator, 'gpu', { value: undefined });\n${await response.text()}`;
        await route.fulfill({ response, body });
      });
    await page.goto(url);
    await page.waitForFunction(() => !document.querySelector<HTMLButtonElement>('#paint')?.disabled);
    return demo;
  }

  /** Paints few small pictures, and waits for the last step. */
  async paint(backend: string, { steps = 3, count = 4 } = {}): Promise<void> {
    const { page } = this;
    await page.selectOption('#backend', backend);
    await page.selectOption('#count', String(count));
    await page.locator('#steps').fill(String(steps));
    await page.click('#paint');
    await page.waitForFunction(() => document.querySelector<HTMLButtonElement>('#stop-paint')?.disabled);
  }

  /** RGBA of all pictures. */
  async pixels(): Promise<Uint8Array> {
    const values = await this.page.evaluate(() => {
      return [...document.querySelectorAll<HTMLCanvasElement>('#pictures canvas')].flatMap((canvas) => [
        ...(canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? []),
      ]);
    });
    return Uint8Array.from(values);
  }

  text(selector: string): Promise<string> {
    return this.page.locator(selector).innerText();
  }
}
