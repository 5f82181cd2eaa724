import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium, type Page } from 'playwright-core';
import { bundle } from '../bundle.ts';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Chromium without a screen and without a word to the network. */
export async function launchChromium({ wide = false, webgpu = false } = {}): Promise<Browser> {
  if (!existsSync(executablePath)) {
    throw new Error(
      `browser tests need Chromium, and there is none at ${executablePath}. Install it (Debian: apt-get install -y --no-install-recommends chromium) or set CHROMIUM to where it is`,
    );
  }
  return chromium.launch({
    executablePath,
    args: [
      '--headless=new',
      '--no-sandbox',
      // Filling shared memory with zeros takes the software most of the time that it compiles kernels.
      ...(webgpu ? ['--enable-unsafe-webgpu', '--enable-dawn-features=disable_workgroup_init'] : ['--disable-gpu']),
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...(wide ? ['--js-flags=--experimental-wasm-revectorize'] : []),
    ],
  });
}

export interface Site {
  /** Opens the page, isolated from other origins or not, with or without a policy that forbids workers. */
  open(browser: Browser, options?: { isolated?: boolean; strict?: boolean }): Promise<Page>;
  close(): Promise<void>;
}

/** Serves one bundle of a program for browsers on localhost. */
export async function serve(program: URL): Promise<Site> {
  const script = await bundle(program, 'browser');
  const server = createServer(({ url }, response) => {
    const path = new URL(url ?? '/', 'http://localhost').pathname;
    if (path.startsWith('/isolated/')) {
      response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
      response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    }
    if (path.startsWith('/strict/')) response.setHeader('Content-Security-Policy', "worker-src 'none'");
    if (path.endsWith('.js')) response.setHeader('Content-Type', 'text/javascript').end(script);
    else {
      response.setHeader('Content-Type', 'text/html');
      response.end('<!doctype html><link rel="icon" href="data:,"><script type="module" src="page.js"></script>');
    }
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    async open(browser, { isolated = false, strict = false } = {}) {
      const page = await browser.newPage();
      page.on('pageerror', (error) => console.error(error));
      await page.goto(`http://localhost:${port}/${isolated ? 'isolated' : strict ? 'strict' : 'plain'}/`);
      await page.waitForFunction('globalThis.conformancePage !== undefined');
      return page;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
