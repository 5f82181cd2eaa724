import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';
import { pipeline } from 'node:stream';

/** @type {Readonly<Record<string, string>>} */
const types = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.png': 'image/png',
};

/** What lets a page share memory between threads. */
const isolating = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/**
 * Serves the files of a folder on localhost; rejects where the port is taken.
 *
 * @param {string} folder
 * @param {{ port?: number, isolated?: boolean, base?: string }} [options] port 0 is any free one; `base` is the path of
 *   the folder, with slashes at both ends
 * @returns {Promise<{ url: string, close(): Promise<void> }>}
 */
export async function serveSite(folder, { port = 0, isolated = true, base = '/' } = {}) {
  const server = createServer(async ({ url = '/' }, response) => {
    const file = fileOf(folder, url, base);
    const found = file === undefined ? undefined : await stat(file).catch(() => undefined);
    if (file === undefined || !found?.isFile()) {
      response.writeHead(404, { 'Content-Type': 'text/plain' }).end('not found\n');
      return;
    }
    response.writeHead(200, {
      'Content-Type': types[extname(file)] ?? 'application/octet-stream',
      'Content-Length': found.size,
      'Cache-Control': 'no-cache',
      ...(isolated ? isolating : {}),
    });
    pipeline(createReadStream(file), response, () => {});
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, 'localhost', () => resolve(undefined));
  });
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://localhost:${address.port}${base}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/**
 * The file that a request names; undefined for what lies outside of the folder.
 *
 * @param {string} folder @param {string} url @param {string} base
 */
function fileOf(folder, url, base) {
  try {
    const path = decodeURIComponent(new URL(url, 'http://localhost').pathname);
    if (!path.startsWith(base)) return undefined;
    const name = path.slice(base.length);
    const file = normalize(join(folder, name === '' ? 'index.html' : name));
    return file.startsWith(folder + sep) ? file : undefined;
  } catch {
    return undefined; // malformed
  }
}
