import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodePng } from '@evenkeel/formats';
import { createJsBackend, withBackend } from '@evenkeel/tensor';
import { guardLeaks } from '@evenkeel/tensor/testing';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decodeSnapshot, describedNetwork, type ImageDataset, type TrainingPreset } from '../../src/index.ts';
import { type TrainRunOptions, trainRun } from '../../src/node/index.ts';
import { gridClasses } from '../../src/node/training/sample-grid.ts';
import { stripes, tinyPreset } from './tiny-run.ts';

guardLeaks({ beforeEach, afterEach });

const folders = mkdtempSync(join(tmpdir(), 'evenkeel-run-'));
afterAll(() => rmSync(folders, { recursive: true, force: true }));

let made = 0;
const newFolder = () => join(folders, String(made++));
const preset: TrainingPreset = { ...tinyPreset, duration: 3072 };

async function run(folder: string, options: Partial<TrainRunOptions> = {}) {
  const lines: string[] = [];
  const result = await trainRun({ folder, dataset: stripes, preset, ...options, onLine: (line) => lines.push(line) });
  return { ...result, lines };
}

const statsOf = (folder: string) =>
  readFileSync(join(folder, 'stats.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, number | null>);
const filesOf = (folder: string, start: string) =>
  readdirSync(folder)
    .filter((name) => name.startsWith(start))
    .sort();

describe('a run', () => {
  test('leaves what the published ones leave', async () => {
    const folder = newFolder();
    const { images, isComplete } = await run(folder, { sampleImages: 3072 });
    expect([images, isComplete]).toEqual([3072, true]);
    expect(readdirSync(folder).filter((name) => !name.startsWith('events'))).toEqual(
      [
        'log.txt',
        // At the start, at multiples of the interval, and at the end.
        ...[0, 2, 3].flatMap((kimg) =>
          ['0.050', '0.100'].map((std) => `network-snapshot-000000${kimg}-${std}.safetensors`),
        ),
        'samples-0000000.png',
        'samples-0000003.png',
        'stats.jsonl',
        ...[2, 3].map((kimg) => `training-state-000000${kimg}.safetensors`),
        'training_options.json',
      ].sort(),
    );
    const stats = statsOf(folder);
    expect(stats.map((values) => values['Progress/kimg'])).toEqual([0.512, 1.024, 1.536, 2.048, 2.56, 3.072]);
    for (const name of [
      'Loss/loss',
      'Loss/learning_rate',
      'Timing/total_sec',
      'Timing/sec_per_tick',
      'Timing/sec_per_kimg',
      'Resources/cpu_mem_gb',
      'timestamp',
    ]) {
      for (const values of stats) expect(values[name], name).toBeGreaterThan(0);
    }
    for (const values of stats) {
      expect(values['Loss/non_finite_gradients']).toBe(0);
      expect(values['Timing/maintenance_sec']).toBeGreaterThanOrEqual(0);
    }
    expect(filesOf(folder, 'events.out.tfevents')).toHaveLength(1);

    const name = 'network-snapshot-0000002-0.100.safetensors';
    const snapshot = decodeSnapshot(readFileSync(join(folder, name)), name);
    expect([snapshot.images, snapshot.std]).toEqual([2048, 0.1]);
    expect(snapshot.metadata).toMatchObject({ dataset: 'stripes', seed: '0' });
    expect(describedNetwork(snapshot.metadata!).options).toMatchObject({
      imgResolution: 4,
      labelDim: 2,
      modelChannels: 4,
    });
    const picture = decodePng(readFileSync(join(folder, 'samples-0000003.png')));
    expect(picture.width).toBe(8 * 64 + 7 * 2);
  });

  test('stops where it is told to, saves, and goes on from there: with the bits of one that did not stop', async () => {
    const [whole, parts] = [newFolder(), newFolder()];
    await run(whole);
    const stop = new AbortController();
    const first = await run(parts, {
      signal: stop.signal,
      onStep: ({ images }) => void (images === 1280 && stop.abort()),
    });
    expect([first.images, first.isComplete]).toEqual([1280, false]);
    // A process that died while it wrote these:
    writeFileSync(join(parts, '.training-state-0000002.safetensors.1.2.tmp'), 'part');
    writeFileSync(join(parts, 'stats.jsonl'), '{"Progress/ki', { flag: 'a' });
    const rest = await run(parts, { keptCheckpoints: 5 });
    expect(rest.lines).toContainEqual(
      expect.stringMatching(/goes on from .*training-state-0000001\.safetensors, 1280 images/),
    );
    expect(filesOf(parts, '.')).toEqual([]);
    for (const name of filesOf(whole, 'network-snapshot')) {
      expect(readFileSync(join(parts, name)).equals(readFileSync(join(whole, name))), name).toBe(true);
    }
    expect(statsOf(parts).map((values) => values['Progress/kimg'])).toEqual([
      0.512, 1.024, 1.28, 1.536, 2.048, 2.56, 3.072,
    ]);

    const again = await run(parts);
    expect([again.images, again.isComplete]).toEqual([3072, true]);
    expect(again.elapsedSeconds).toBeLessThan(rest.elapsedSeconds + 1);
  });

  test('learns latents too: they are drawn in the step, and their encoder stands in the snapshots', async () => {
    const folder = newFolder();
    const latents: ImageDataset = {
      name: 'latents',
      length: 6,
      channels: 8,
      resolution: 4,
      labelDim: 0,
      image: async (index) => Float32Array.from({ length: 128 }, (_, i) => (i < 64 ? index : 1)),
    };
    await run(folder, { dataset: latents, preset: { ...preset, duration: 256, draws: 'shuffled' } });
    const name = 'network-snapshot-0000000-0.100.safetensors';
    const { encoder, options } = describedNetwork(decodeSnapshot(readFileSync(join(folder, name)), name).metadata!);
    expect([encoder, options.imgChannels, options.labelDim]).toEqual(['stability-vae', 4, 0]);
  });

  test('saves when asked, and goes on', async () => {
    const folder = newFolder();
    let asks = 0;
    await run(folder, {
      wantsCheckpoint: () => ++asks === 1,
      keptCheckpoints: 9,
      preset: { ...preset, checkpointImages: 0 },
    });
    expect(filesOf(folder, 'training-state')).toEqual([0, 3].map((kimg) => `training-state-000000${kimg}.safetensors`));
  });

  test('passes over a damaged checkpoint, names it, and uses the one before', async () => {
    const folder = newFolder();
    await run(folder, { preset: { ...preset, duration: 2048 } });
    truncateSync(join(folder, 'training-state-0000002.safetensors'), 3000);
    const { lines, isComplete } = await run(folder);
    expect(isComplete).toBe(true);
    expect(lines).toContainEqual(expect.stringMatching(/^warning: .*training-state-0000002.safetensors: is damaged/));
    expect(lines).toContainEqual(expect.stringMatching(/goes on from .*training-state-0000001/));
    expect(filesOf(folder, 'training-state-0000002.safetensors.damaged')).toHaveLength(1);
  });

  test('says so where other instructions go on', async () => {
    const folder = newFolder();
    await run(folder, { preset: { ...preset, duration: 1024 } });
    const other = Object.assign(createJsBackend(), { numerics: 'other instructions' });
    const { lines } = await withBackend(other, () => run(folder, { preset: { ...preset, duration: 1152 } }));
    await other.dispose();
    expect(lines).toContainEqual(
      "warning: until now computed by 'js', from here by 'other instructions': numbers will differ in their last digits",
    );
  });

  test('refuses the folder of another run, and warns of what may change', async () => {
    const folder = newFolder();
    const short = { ...preset, duration: 1024 };
    await run(folder, { preset: short });
    const files = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'hex')]);
    await expect(run(folder, { preset: short, seed: 1 })).rejects.toThrow(
      /holds a run of other options: seed was 0, is 1\. Choose/,
    );
    await expect(
      run(folder, { preset: { ...short, network: { ...short.network, modelChannels: 8 } } }),
    ).rejects.toThrow(/network\.modelChannels was 4, is 8/);
    await expect(run(folder, { preset: { ...short, batchSize: 64 } })).rejects.toThrow(/batchSize was 128, is 64/);
    await expect(run(folder, { preset: short, conditional: false })).rejects.toThrow(/labelDim was 2, is 0/);
    expect(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'hex')])).toEqual(files);
    const rate = { ...short.learningRate, referenceRate: 0.01 };
    const { lines } = await run(folder, { preset: { ...short, duration: 1152, learningRate: rate } });
    expect(lines[0]).toMatch(/^warning: learningRate\.referenceRate was 0\.02, is 0\.01/);
  });

  test('refuses what cannot be, before anything is written', async () => {
    const folder = newFolder();
    const refused = (changes: Partial<TrainingPreset>, options: Partial<TrainRunOptions> = {}) =>
      expect(run(folder, { preset: { ...preset, ...changes }, ...options })).rejects;
    await refused({ snapshotImages: 1000 }).toThrow(/snapshots every 1000 images: .*Take 1024$/);
    await refused({ checkpointImages: 2000 }).toThrow(/checkpoints every 2000 images: .*Take 1024 or 2048$/);
    await refused({ statusImages: 200 }).toThrow(/status lines every 200 images: .*the batch, 128\. Take 128 or 256$/);
    await refused({ duration: 3000 }).toThrow(/a run of 3000 images/);
    await refused({ duration: 64 }).toThrow(/duration must be a whole number of at least 128/);
    await refused({ emaStds: [0.05, 0.0501] }).toThrow(/would have one name/);
    await refused({}, { accumulationRounds: 3 }).toThrow(/does not divide into 3 rounds/);
    const { label, labelDim, ...unlabeled } = stripes;
    await refused({}, { dataset: { ...unlabeled, labelDim: 0 }, conditional: true }).toThrow(/has no labels/);
    expect(readdirSync(folders)).not.toContain(folder.split('/').at(-1));
  });

  test('a run that failed before it came to anything does not keep its folder', async () => {
    const folder = newFolder();
    const gone = {
      ...stripes,
      image(): Uint8Array {
        throw new Error('the disk is gone');
      },
    };
    await expect(run(folder, { dataset: gone, preset: { ...preset, snapshotImages: 0 } })).rejects.toThrow(
      'the disk is gone',
    );
    expect(readFileSync(join(folder, 'log.txt'), 'utf8')).toMatch(/\nerror: the disk is gone\n$/);
    const wide = { ...preset, duration: 256, network: { ...preset.network, modelChannels: 8 } };
    expect((await run(folder, { preset: wide })).isComplete).toBe(true);
  });

  test('names what it cannot write', async () => {
    const folder = newFolder();
    mkdirSync(join(folder, 'stats.jsonl'), { recursive: true });
    await expect(run(folder)).rejects.toThrow(/^cannot write to .*stats\.jsonl: [^\n]*$/);
    const file = join(folders, 'file');
    writeFileSync(file, '');
    await expect(run(file)).rejects.toThrow(/a part of the path is a file, not a folder/);
  });
});

describe('a grid of samples', () => {
  test('has a row for each class, and shows some of many', () => {
    expect(gridClasses(0)).toEqual(Array.from({ length: 4 }, () => Array(8).fill(0)));
    expect(gridClasses(10).map((row) => row[0])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const many = gridClasses(1000).flat();
    expect(many).toHaveLength(64);
    expect(new Set(many).size).toBe(64);
    expect(Math.max(...many)).toBeLessThan(1000);
  });
});
