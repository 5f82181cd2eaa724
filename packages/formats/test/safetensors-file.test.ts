import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { readSafetensors, writeSafetensors } from '../src/index.ts';
import { openSafetensors } from '../src/node/index.ts';
import { namedArrays } from './arbitrary-array.ts';

const scratch = mkdtempSync(join(tmpdir(), 'evenkeel-safetensors-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const path = join(scratch, 'file.safetensors');

test('gives what reading the whole file gives', async () => {
  await fc.assert(
    fc.asyncProperty(namedArrays, async (entries) => {
      const bytes = writeSafetensors(entries, { answer: '42' });
      writeFileSync(path, bytes);
      const whole = readSafetensors(bytes);
      const file = await openSafetensors(path);
      const tensors = new Map<string, unknown>();
      for await (const [name, array] of file.tensors()) tensors.set(name, array);
      expect([...tensors]).toEqual([...whole.tensors]);
      expect(file.names).toEqual([...whole.tensors.keys()]);
      expect(file.metadata).toEqual(whole.metadata);
    }),
    { numRuns: 40 },
  );
});

test('a file that is cut off, anywhere, is refused when it is opened', async () => {
  const bytes = writeSafetensors([['w', { dtype: 'float32', shape: [4], data: new Float32Array(4) }]]);
  for (let length = 0; length < bytes.length; length++) {
    writeFileSync(path, bytes.subarray(0, length));
    await expect(openSafetensors(path)).rejects.toThrow(/^openSafetensors .*file\.safetensors: [^\n]+$/);
  }
});

test('a file that shrinks after it was opened, and one that is not there', async () => {
  writeFileSync(path, writeSafetensors([['w', { dtype: 'float32', shape: [4], data: new Float32Array(4) }]]));
  const file = await openSafetensors(path);
  truncateSync(path, 70);
  await expect(file.tensors().next()).rejects.toThrow(/ends at byte 70\. Is the file cut off/);
  await expect(openSafetensors(join(scratch, 'none'))).rejects.toThrow(/none: there is no such file/);
});
