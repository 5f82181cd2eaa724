import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TrainerState } from '../../src/index.ts';
import { decodeCheckpoint, encodeCheckpoint, newestCheckpoint } from '../../src/node/index.ts';
import { writeCheckpoint } from '../../src/node/training/checkpoint-folder.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-checkpoint-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function stateAt(images: number): TrainerState {
  const data = Float32Array.from({ length: 50 }, (_, i) => images + i / 7);
  return {
    images,
    seed: 5,
    tensors: new Map([
      ['net.weight', { dtype: 'float32', shape: [5, 10], data }],
      ['optimizer.step', { dtype: 'int32', shape: [], data: Int32Array.of(7) }],
    ]),
  };
}
const notes = { elapsedSeconds: 12.5, numerics: 'test' };

describe('a checkpoint', () => {
  test('is read back as it was', () => {
    const checkpoint = { state: stateAt(1024), ...notes };
    expect(decodeCheckpoint(encodeCheckpoint(checkpoint))).toEqual(checkpoint);
  });

  test('with any byte changed, or cut off anywhere, is refused in one line that names it', () => {
    const bytes = encodeCheckpoint({ state: stateAt(1024), ...notes });
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, change, cuts) => {
        const damaged = cuts ? bytes.slice(0, at) : bytes.slice();
        if (!cuts) damaged[at] = (damaged[at] as number) ^ change;
        expect(() => decodeCheckpoint(damaged, 'out/x.safetensors')).toThrow(/^out\/x\.safetensors: is [^\n]*$/);
      }),
      { numRuns: 400 },
    );
  });

  test('is the newest whole one that a folder has; the others are named', async () => {
    for (const images of [1024, 2048, 3072, 4096])
      await writeCheckpoint(folder, { state: stateAt(images), ...notes }, 3);
    const names = () => readdirSync(folder).sort();
    expect(names()).toEqual([2, 3, 4].map((kimg) => `training-state-000000${kimg}.safetensors`));
    const newest = join(folder, 'training-state-0000004.safetensors');
    expect((await newestCheckpoint(folder))?.path).toBe(newest);

    const bytes = readFileSync(newest);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(newest, bytes);
    writeFileSync(join(folder, 'training-state-0000003.safetensors'), 'short');
    const messages: string[] = [];
    const found = await newestCheckpoint(folder, { onDamaged: (message) => void messages.push(message) });
    expect(found?.state).toEqual(stateAt(2048));
    expect(messages).toEqual([
      `${newest}: is damaged or cut off, its checksum does not fit`,
      `${join(folder, 'training-state-0000003.safetensors')}: is no checkpoint, or is cut off`,
    ]);
    expect(await newestCheckpoint(join(folder, 'none'))).toBeUndefined();
  });
});
