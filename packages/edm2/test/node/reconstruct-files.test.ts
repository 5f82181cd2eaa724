import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Linear } from '@evenkeel/nn';
import { commit, State, tensor } from '@evenkeel/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeSnapshot, PowerFunctionEma, reconstruct } from '../../src/ema/index.ts';
import { describedNetwork } from '../../src/network/network-metadata.ts';
import {
  openSnapshot,
  planReconstruction,
  saveSnapshots,
  selectSnapshots,
  writeReconstructions,
} from '../../src/node/index.ts';
import { decodePublishedSnapshot } from '../../src/published/decode-snapshot.ts';

const scratch = mkdtempSync(join(tmpdir(), 'evenkeel-reconstruct-'));
const run = join(scratch, 'run');
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Sixteen times of one training, at multiples of 1024 images. */
beforeAll(async () => {
  using value = new State(tensor(new Float32Array(300)));
  using count = new State(tensor([0], { dtype: 'int32' }));
  using ema = new PowerFunctionEma(
    new Map<string, State>([
      ['w', value],
      ['count', count],
    ]),
  );
  for (let step = 1; step <= 16; step++) {
    value.assign(tensor(Float32Array.from({ length: 300 }, (_, i) => Math.sin(i + step))));
    count.assign(tensor([step], { dtype: 'int32' }));
    ema.update(step * 2048);
    await commit();
    await saveSnapshots(ema, run, { metadata: { network: '{"a":1}' } });
  }
});

describe('selection', () => {
  test('takes the newest time unless told, and all before it', async () => {
    const newest = await selectSnapshots(run);
    expect([newest.snapshots.length, newest.images, newest.kimg]).toEqual([32, 32768, 32]);
    const earlier = await selectSnapshots(run, { kimg: 8, stds: [0.05] });
    expect(earlier.snapshots.map(({ images, std }) => [images, std])).toEqual([
      [2048, 0.05],
      [4096, 0.05],
      [6144, 0.05],
      [8192, 0.05],
    ]);
  });

  test('refuses a time without snapshots, lengths that there are none of, and folders without', async () => {
    await expect(selectSnapshots(run, { kimg: 7 })).rejects.toThrow(
      /no snapshot at 7 kimg\. There are some at 2, 4, 6, 8/,
    );
    await expect(selectSnapshots(run, { stds: [0.07] })).rejects.toThrow(/has no snapshots of these lengths/);
    await expect(selectSnapshots(join(scratch, 'none'))).rejects.toThrow(/none: there is no such folder/);
  });

  test('names both of two files of one time and length, and asks which prefix', async () => {
    const from = 'network-snapshot-0000032-0.050.safetensors';
    const other = 'network-snapshot-0000031-0.050.safetensors';
    copyFileSync(join(run, from), join(run, other));
    await expect(selectSnapshots(run)).rejects.toThrow(new RegExp(`${other} and .*${from} are both of 32768 images`));
    rmSync(join(run, other));
    const folder = join(scratch, 'copies');
    mkdirSync(folder);
    for (const prefix of ['one', 'two'])
      copyFileSync(join(run, from), join(folder, `${prefix}-0000032-0.050.safetensors`));
    await expect(selectSnapshots(folder)).rejects.toThrow(/named one-… and two-…\. Say which/);
    expect((await selectSnapshots(folder, { prefix: 'two' })).snapshots).toHaveLength(1);
  });

  test('names a damaged file', async () => {
    const folder = join(scratch, 'damaged');
    using model = new Linear(4, 4);
    using ema = new PowerFunctionEma(model, { stds: [0.1] });
    ema.update(1024);
    const [path] = (await saveSnapshots(ema, folder)) as [string];
    truncateSync(path, 150);
    await expect(selectSnapshots(folder)).rejects.toThrow(/network-snapshot-0000001-0\.100\.safetensors: .*cut off/);
    writeFileSync(path, 'nothing of the sort');
    await expect(openSnapshot(path)).rejects.toThrow(/Is it a safetensors file/);
  });
});

describe('reconstruction', () => {
  const stds = [0.06, 0.07, 0.15];

  test('writes what `reconstruct` gives, in passes, with what belongs to it', async () => {
    const selected = await selectSnapshots(run);
    const folder = join(scratch, 'made');
    const planned = planReconstruction(selected, { folder, stds });
    const reads: number[] = [];
    await writeReconstructions(selected, planned, {
      batch: 2,
      dtype: 'float32',
      onProgress: (done) => reads.push(done),
    });
    expect(reads).toEqual(Array.from({ length: 64 }, (_, i) => i));
    const expected = await reconstruct(
      selected.snapshots,
      stds.map((std) => ({ images: 32768, std })),
    );
    expected.forEach((values, i) => {
      const { path } = planned[i]!;
      const made = decodeSnapshot(readFileSync(path), path);
      expect(made.values).toEqual(values);
      expect(made.values.get('count')!.data).toEqual(Int32Array.of(16));
      expect([made.images, made.std]).toEqual([32768, stds[i]]);
      expect(made.metadata).toEqual({ network: '{"a":1}' });
      expect(made.copied).toEqual(['count']);
    });
    expect(planned[2]!.path).toBe(join(folder, 'phema-0000032-0.150.safetensors'));
    expect(planReconstruction(selected, { folder, stds }).every(({ exists }) => exists)).toBe(true);
  });

  test('takes published pickles, whose names alone tell time and length', async () => {
    const folder = join(scratch, 'published');
    mkdirSync(folder);
    const pickle = fileURLToPath(new URL('../../conformance/snapshot_tiny.pkl', import.meta.url));
    for (const name of ['0000001-0.050', '0000001-0.100', '0000002-0.100']) {
      copyFileSync(pickle, join(folder, `network-snapshot-${name}.pkl`));
    }
    const selected = await selectSnapshots(folder);
    expect(selected.snapshots.map(({ images, std }) => [images, std])).toEqual([
      [1024, 0.05],
      [1024, 0.1],
      [2048, 0.1],
    ]);
    const planned = planReconstruction(selected, { folder, stds: [0.09] });
    await writeReconstructions(selected, planned);
    const made = decodeSnapshot(readFileSync(planned[0]!.path));
    const { values, description } = decodePublishedSnapshot(readFileSync(pickle));
    // All three are of the same weights, of which any average is those weights.
    for (const [name, { data }] of values) {
      made.values.get(name)!.data.forEach((value, i) => {
        expect(Math.abs(Number(value) - Number(data[i]))).toBeLessThanOrEqual(2 ** -10 * Math.abs(Number(data[i])));
      });
    }
    expect(made.copied).toHaveLength(4);
    expect(describedNetwork(made.metadata!)).toEqual(description);
    writeFileSync(join(folder, 'network-snapshot-0000002-0.050.pkl'), readFileSync(pickle).subarray(0, 1000));
    const damaged = await selectSnapshots(folder);
    await expect(writeReconstructions(damaged, planned)).rejects.toThrow(
      /network-snapshot-0000002-0\.050\.pkl: [^\n]+$/,
    );
  });

  test('holds one tensor of one snapshot at a time, however many there are', async () => {
    const selected = await selectSnapshots(run);
    let [live, most, loads] = [0, 0, 0];
    const counted = selected.snapshots.map((snapshot) => ({
      ...snapshot,
      async *load() {
        loads++;
        for await (const [name, array] of await snapshot.load()) {
          // The consumer lets go of an array when it asks for the next.
          live += array.data.byteLength;
          most = Math.max(most, live);
          yield [name, array] as const;
          live -= array.data.byteLength;
        }
      },
    }));
    await reconstruct(counted, [{ images: 32768, std: 0.07 }]);
    expect([loads, most, live]).toEqual([32, 1200, 0]);
  });

  test('stops when told, and leaves no half file', async () => {
    const selected = await selectSnapshots(run);
    const folder = join(scratch, 'stopped');
    const planned = planReconstruction(selected, { folder, stds });
    const controller = new AbortController();
    const writing = writeReconstructions(selected, planned, {
      batch: 1,
      signal: controller.signal,
      onFile: () => controller.abort(),
    });
    await expect(writing).rejects.toThrow();
    expect(planReconstruction(selected, { folder, stds }).map(({ exists }) => exists)).toEqual([true, false, false]);
  });
});
