import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { choices } from '../packages/backend-wasm/src/tuning.ts';
import { bundleSources } from '../scripts/bundle-sources.mjs';
import { root } from './code-blocks.ts';

const programs = join(root, 'out', 'tuned-training-test');
const scratch = mkdtempSync(join(tmpdir(), 'evenkeel-tuned-'));
beforeAll(() => bundleSources({ train: join(root, 'test', 'tuned-training.ts') }, programs));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const { tile, chunkWork } = choices('plain');
const tunings = fc.record({ tile: fc.constantFrom(...tile), chunkWork: fc.constantFrom(...chunkWork) });

/** Trains in a process of its own. */
async function train(from: number, to: number, tuning: unknown, folder: string): Promise<void> {
  const program = [join(programs, 'train.mjs'), String(from), String(to), JSON.stringify(tuning), folder];
  await promisify(execFile)(process.execPath, program);
}

test('training, stopped and resumed in new processes, gives the same bits whatever was measured', async () => {
  const results = (folder: string): Buffer[] =>
    ['net', 'optimizer'].map((part) => readFileSync(join(folder, `${part}-16.safetensors`)));
  const whole = mkdtempSync(join(scratch, 'whole-'));
  await train(0, 16, { tile: tile[0], chunkWork: chunkWork[0] }, whole);
  await fc.assert(
    fc.asyncProperty(tunings, tunings, async (first, second) => {
      const folder = mkdtempSync(join(scratch, 'resumed-'));
      await train(0, 8, first, folder);
      await train(8, 16, second, folder);
      expect(results(folder)).toEqual(results(whole));
    }),
    { numRuns: 2, endOnFailure: true },
  );
});
