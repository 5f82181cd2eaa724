import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeCheckpoint } from '@evenkeel/edm2/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleSources } from '../scripts/bundle-sources.mjs';
import { root } from './code-blocks.ts';

/** Ignored by git, and where the packages of others are found. */
const programs = join(root, 'out', 'killed-training');
const folders = mkdtempSync(join(tmpdir(), 'evenkeel-kill-'));

beforeAll(async () => {
  mkdirSync(programs, { recursive: true });
  await bundleSources({ run: join(root, 'test', 'killed-training.ts') }, programs);
});

afterAll(() => {
  rmSync(folders, { recursive: true, force: true });
  rmSync(programs, { recursive: true, force: true });
});

interface Death {
  /** Dies by itself while it writes its second checkpoint. */
  readonly dies?: 'half' | 'whole';
  /** Is killed this long after it has printed so many lines. */
  readonly after?: { readonly lines: number; readonly ms: number };
}

/** Runs the program, to its end or to its death. Gives what it printed. */
async function run(folder: string, backend: string, { dies = undefined, after }: Death = {}) {
  const child = spawn(process.execPath, [join(programs, 'run.mjs'), folder, backend, ...(dies ? [dies] : [])], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  let timer: NodeJS.Timeout | undefined;
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
    if (after !== undefined && text.split('\n').length > after.lines) {
      timer ??= setTimeout(() => child.kill('SIGKILL'), after.ms);
    }
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  clearTimeout(timer);
  return { code, signal, text };
}

/** Of the final weights, averages and moments, and of every snapshot. */
function hashes(folder: string): Record<string, string> {
  const sha256 = (parts: readonly (Uint8Array | string)[]): string => {
    const hash = createHash('sha256');
    for (const part of parts) hash.update(part);
    return hash.digest('hex');
  };
  const bytesOf = (name: string) => readFileSync(join(folder, name));
  const names = readdirSync(folder).sort();
  const checkpoint = names.filter((name) => name.startsWith('training-state')).at(-1) as string;
  const { tensors } = decodeCheckpoint(bytesOf(checkpoint)).state;
  const state = [...tensors].flatMap(([name, { data }]) => [
    name,
    new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  ]);
  const snapshots = names.filter((name) => name.startsWith('network-snapshot'));
  return {
    [checkpoint]: sha256(state),
    losses: readFileSync(join(folder, 'stats.jsonl'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as Record<string, number>)['Loss/loss'])
      .join(),
    ...Object.fromEntries(snapshots.map((name) => [name, sha256([bytesOf(name)])])),
  };
}

describe('a run that is killed again and again', () => {
  test.concurrent.each(['js', 'wasm'])('ends with the bits of one that was never interrupted, %s', async (backend) => {
    const [whole, killed] = [join(folders, `whole-${backend}`), join(folders, `killed-${backend}`)];
    expect(await run(whole, backend)).toMatchObject({ code: 0, signal: null });
    const reference = hashes(whole);
    expect(Object.keys(reference)).toContain('training-state-0000004.safetensors');
    expect(Object.keys(reference).filter((name) => name.startsWith('network-snapshot'))).toHaveLength(6);

    const deaths: Death[] = [
      { dies: 'half' },
      { dies: 'whole' },
      // At any moment: whatever the draw, what follows must hold.
      { after: { lines: 2 + Math.floor(3 * Math.random()), ms: 60 * Math.random() } },
    ];
    for (const death of deaths) {
      const { code, signal } = await run(killed, backend, death);
      if (death.dies) expect([code, signal], JSON.stringify(death)).toEqual([null, 'SIGKILL']);
    }
    const { code, text } = await run(killed, backend);
    expect(code).toBe(0);
    expect(text).toMatch(/goes on from .*training-state-000\d+\.safetensors/);
    expect(hashes(killed), JSON.stringify(deaths)).toEqual(reference);
    expect(readdirSync(killed).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});
