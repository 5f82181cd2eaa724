import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundle } from './bundle.ts';

const folder = mkdtempSync(join(tmpdir(), 'evenkeel-wasm-programs-'));
beforeAll(async () => {
  for (const name of ['idle', 'long']) {
    const program = await bundle(new URL(`./programs/${name}.ts`, import.meta.url), 'node');
    writeFileSync(join(folder, `${name}.mjs`), program);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function run(name: string, options: readonly string[] = [], onText?: (text: string, stop: () => void) => void) {
  const child = spawn(process.execPath, [join(folder, `${name}.mjs`), ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    onText?.(stdout, () => child.kill('SIGINT'));
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { code, signal, stdout, stderr };
}

describe('a process', () => {
  test('waits without work, and ends by itself', async () => {
    const { code, stdout, stderr } = await run('idle');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [busy, mean] = stdout.trim().split('\n').map(Number) as [number, number];
    // A thread that looks for work all the time takes a second; two share a core at worst.
    expect(busy).toBeLessThan(150);
    expect(mean).toBeGreaterThan(0.5);
  });

  test.each([
    ['by itself', [], { code: null, signal: 'SIGINT' }, 'running\n'],
    ['by its handler', ['handler'], { code: 7, signal: null }, 'running\nstopped\n'],
  ] as const)('ends at Ctrl-C in the midst of a long plan, %s', async (_, options, end, stdout) => {
    const ended = await run('long', options, (text, stop) => {
      if (text === 'running\n') setTimeout(stop, 100);
    });
    expect(ended).toEqual({ ...end, stdout, stderr: '' });
  });
});
