// Our own implementation in Chromium, on a page that may share memory: `chromium.mjs <threads>`. Flags are the browser's own.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium, type Page } from 'playwright-core';
import { serve } from '../process/serve.ts';
import type { BenchPage } from './page.ts';

const threads = Number(process.argv[2] ?? 1);
/** The bench is built to `bench/dist/<process>/`. */
const repository = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

/** The page's program, of the packages' sources. */
async function bundlePage(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(repository, 'bench', 'src', 'browser', 'page.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022', // down-levels `using`
    tsconfig: join(repository, 'tsconfig.base.json'),
    logLevel: 'error',
  });
  return outputFiles[0]?.text ?? '';
}

const script = await bundlePage();
const files = new Map<string, Float32Array>();
const results: Float32Array[] = [];

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
  response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
  if (pathname === '/page.js') response.setHeader('Content-Type', 'text/javascript').end(script);
  else if (pathname === '/input') {
    const values = files.get(searchParams.get('file') ?? '') ?? new Float32Array();
    response.end(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  } else if (pathname === '/result') {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk as Uint8Array);
    const bytes = new Uint8Array(Buffer.concat(chunks));
    results[Number(searchParams.get('index'))] = new Float32Array(bytes.buffer);
    response.end();
  } else {
    response.setHeader('Content-Type', 'text/html');
    response.end('<!doctype html><link rel="icon" href="data:,"><script type="module" src="page.js"></script>');
  }
}

const server = createServer((request, response) => void answer(request, response));
await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
const { port } = server.address() as AddressInfo;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--headless=new',
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-sync',
  ],
});
const page: Page = await browser.newPage();
await page.goto(`http://localhost:${port}/`);
await page.waitForFunction('globalThis.benchPage !== undefined');
type WithPage = typeof globalThis & { readonly benchPage: BenchPage };
const started = await page.evaluate((count) => (globalThis as WithPage).benchPage.start(count), threads);

await serve({
  about: { browser: `Chromium ${browser.version()}`, instructions: started.instructions },
  async prepare(task, inputs) {
    files.clear();
    for (const { name, values } of inputs) files.set(name, values);
    results.length = 0;
    const list = inputs.map(({ name, shape }) => ({ name, shape, file: name }));
    return {
      // The page runs it once where it stands: its clock, not ours, is looked at.
      run: async () =>
        void (await page.evaluate(([work, given]) => (globalThis as WithPage).benchPage.prepare(work, given), [
          task,
          list,
        ] as const)),
      results: async () => results,
      measure: (milliseconds) =>
        page.evaluate((time) => (globalThis as WithPage).benchPage.measure(time), milliseconds),
      dispose: () => page.evaluate(() => (globalThis as WithPage).benchPage.release()),
    };
  },
});
await browser.close();
server.closeAllConnections();
server.close();
