import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleSources } from '../scripts/bundle-sources.mjs';
import { root } from './code-blocks.ts';

/** Ignored by git, and where the packages of others are found. */
const programs = join(root, 'out', 'signalled-training');
const folders = mkdtempSync(join(tmpdir(), 'evenkeel-signal-'));

beforeAll(async () => {
  mkdirSync(programs, { recursive: true });
  await bundleSources({ edm2: join(root, 'packages', 'edm2', 'src', 'cli', 'main.ts') }, programs);
});

afterAll(() => {
  rmSync(folders, { recursive: true, force: true });
  rmSync(programs, { recursive: true, force: true });
});

/** Sends `signal` when the output matches `at`; each is looked for after the one before. */
interface Sent {
  readonly at: RegExp;
  readonly signal: NodeJS.Signals;
}

/** `edm2 train` of a network that takes moments, for longer than any test: only a signal ends it. */
async function train(folder: string, ...sent: readonly Sent[]) {
  const settings = ['--channels=4', '--channel-mult=1', '--blocks=1', '--attn=1', '--snapshot=0', '--samples=0'];
  const child = spawn(
    process.execPath,
    [join(programs, 'edm2.mjs'), 'train', `--outdir=${folder}`, '--data=emoji16', '--backend=js', ...settings],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let text = '';
  let from = 0;
  let next = 0;
  const take = (part: string): void => {
    text += part;
    for (let one = sent[next]; one !== undefined; one = sent[next]) {
      const found = one.at.exec(text.slice(from));
      if (found === null) return;
      from += found.index + found[0].length;
      next++;
      child.kill(one.signal);
    }
  };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', take);
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { code, signal, text };
}

const step = /kimg {2}loss/;

describe.skipIf(process.platform === 'win32')('edm2 train in a process', () => {
  test('stops at SIGTERM with a checkpoint, goes on from it, saves at SIGUSR1, stops at Ctrl-C', async () => {
    const folder = join(folders, 'run');
    const first = await train(folder, { at: step, signal: 'SIGTERM' });
    expect(first, first.text).toMatchObject({ code: 130, signal: null });
    const [, images] = /stopped at (\d+) images\. The same command goes on\n$/.exec(first.text) ?? [];
    expect(Number(images), first.text).toBeGreaterThan(0);

    const second = await train(folder, { at: step, signal: 'SIGUSR1' }, { at: /saved .*\n/, signal: 'SIGINT' });
    expect(second, second.text).toMatchObject({ code: 130, signal: null });
    expect(second.text).toMatch(new RegExp(`goes on from .*, ${images} images\n`));
    expect(second.text.match(/^saved /gm)).toHaveLength(2);
    expect(second.text).not.toMatch(/debugger/i);
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('takes signals before its first step', async () => {
    const folder = join(folders, 'early');
    const { code, text } = await train(
      folder,
      { at: /^backend .*\n/, signal: 'SIGUSR1' },
      { at: /saved .*\n/, signal: 'SIGTERM' },
    );
    expect(code, text).toBe(130);
    expect(text).not.toMatch(/debugger/i);
    const stopped = await train(join(folders, 'earliest'), { at: /^backend .*\n/, signal: 'SIGTERM' });
    expect(stopped.code, stopped.text).toBe(130);
    expect(stopped.text).toMatch(/stopped at \d+ images/);
  });
});
