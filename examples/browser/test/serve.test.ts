import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';

const program = fileURLToPath(new URL('../serve.mjs', import.meta.url));
const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill();
});

function serve(...options: string[]): ChildProcess {
  const child = spawn(process.execPath, [program, ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
  started.push(child);
  return child;
}

describe('npm run demo', () => {
  test('prints where the page is, and sends the headers that isolate it', async () => {
    const child = serve('--port', '0');
    const [line] = (await once(child.stdout!, 'data')) as [Buffer];
    const [url] = /http:\/\/localhost:\d+\//.exec(line.toString()) as RegExpExecArray;
    const page = await fetch(url);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(page.headers.get('cross-origin-opener-policy')).toBe('same-origin');
    expect(page.headers.get('cross-origin-embedder-policy')).toBe('require-corp');
    const parts = [...(await page.text()).matchAll(/(?:href|src)="(\w[\w.-]*\.(?:css|js))"/g)].map(([, name]) => name);
    expect(parts).toEqual(['style.css', 'main.js']);
    for (const part of parts) expect((await fetch(new URL(part as string, url))).status).toBe(200);
    expect((await fetch(`${url}none.js`)).status).toBe(404);
    expect((await fetch(`${url}%2e%2e/package.json`)).status).toBe(404);
  });

  test('says in one line that a port is taken, or is none', async () => {
    const other = createServer().listen(0, 'localhost');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    for (const [value, reason] of [
      [String(port), `demo: port ${port} is taken. Give another one: --port ${port + 1}\n`],
      ['web', 'demo: --port web is no port. Give a number from 0 to 65535\n'],
    ] as const) {
      const child = serve('--port', value);
      const [[line], [code]] = await Promise.all([once(child.stderr!, 'data'), once(child, 'exit')]);
      expect(String(line)).toBe(reason);
      expect(code).toBe(1);
    }
    other.close();
  });
});
