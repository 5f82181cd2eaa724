// An implementation in Chromium, on a page that may share memory: `chromium.mjs <page> [what it is given]`.

import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join, normalize, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium, type Page } from 'playwright-core';
import { Unsupported } from '../process/implementation.ts';
import { serve } from '../process/serve.ts';
import type { BenchPage } from './bench-page.ts';

const [name = 'wasm', ...given] = process.argv.slice(2);
/** Processors are measured with the browser's own flags, graphics cards with those that they need where there is no screen. */
const gpuFlags = [
  '--enable-unsafe-webgpu',
  '--enable-webgpu-developer-features', // clocks as exact as they are
  '--enable-dawn-features=disable_workgroup_init', // as for devices in software in Node
];
const flags = name === 'wasm' ? ['--disable-gpu'] : gpuFlags;
/** The bench is built to `bench/dist/<process>/`. */
const bench = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const repository = dirname(bench);

/** The page's program, of the packages' sources. */
async function bundlePage(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(bench, 'src', 'browser', 'pages', `${name}.ts`)],
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
  else if (pathname.startsWith('/node_modules/')) {
    const file = normalize(join(bench, pathname));
    if (!file.startsWith(join(bench, 'node_modules') + sep)) return void response.writeHead(403).end();
    const content = await readFile(file).catch(() => undefined);
    if (content === undefined) return void response.writeHead(404).end();
    response.setHeader('Content-Type', 'text/javascript').end(content);
  } else if (pathname === '/input') {
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
    ...flags,
    '--no-first-run',
    '--disable-background-networking',
    '--disable-sync',
  ],
});
const page: Page = await browser.newPage();
await page.goto(`http://localhost:${port}/`);
await page.waitForFunction('globalThis.benchPage !== undefined');
type WithPage = typeof globalThis & { readonly benchPage: BenchPage };
const about = await page.evaluate((parts) => (globalThis as WithPage).benchPage.start(parts), given);

await serve({
  about: { browser: `Chromium ${browser.version()}`, ...about },
  async prepare(task, inputs) {
    files.clear();
    for (const { name, values } of inputs) files.set(name, values);
    results.length = 0;
    const list = inputs.map(({ name, shape }) => ({ name, shape, file: name }));
    // The page runs it once where it stands: its clock, not ours, is looked at.
    const prepared = await page.evaluate(([work, files]) => (globalThis as WithPage).benchPage.prepare(work, files), [
      task,
      list,
    ] as const);
    if ('unsupported' in prepared) throw new Unsupported(prepared.unsupported);
    const { note, deviceMilliseconds } = prepared;
    return {
      run: async () => undefined,
      results: async () => results,
      ...(note === undefined ? {} : { note }),
      deviceMilliseconds: async () => deviceMilliseconds,
      measure: (milliseconds) =>
        page.evaluate((time) => (globalThis as WithPage).benchPage.measure(time), milliseconds),
      dispose: () => page.evaluate(() => (globalThis as WithPage).benchPage.release()),
    };
  },
});
await browser.close();
server.closeAllConnections();
server.close();
