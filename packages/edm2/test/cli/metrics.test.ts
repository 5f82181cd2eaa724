import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodePng, writeSafetensors } from '@evenkeel/formats';
import { Generator, setDevelopmentMode, tensor } from '@evenkeel/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  decodeStatistics,
  encodeSnapshot,
  imageGrid,
  loadEmoji16,
  networkMetadata,
  PowerFunctionEma,
  readStateDict,
  snapshotName,
} from '../../src/index.ts';
import { tinyNetwork } from '../tiny-network.ts';
import { runCommand } from './run-command.ts';

/** Few kernels: what is tested is what commands do with a network. */
const plain = { imgChannels: 3, channelMult: [1], attnResolutions: [], channelsPerHead: 64 };
const folder = mkdtempSync(join(tmpdir(), 'evenkeel-metrics-'));
const at = (name: string): string => join(folder, name);
const reference = at('reference.npz');

beforeAll(async () => {
  setDevelopmentMode(false);
  const emoji = await loadEmoji16();
  mkdirSync(at('emoji'));
  const labels: [string, number][] = [];
  for (let i = 0; i < 12; i++) {
    writeFileSync(at(`emoji/${i}.png`), encodePng(imageGrid([emoji.image(i * 170)])));
    labels.push([`${i}.png`, Math.floor(i / 4)]);
  }
  writeFileSync(at('emoji/dataset.json'), JSON.stringify({ labels }));
  using net = tinyNetwork({ ...plain, labelDim: 0, generator: new Generator(2) });
  writeFileSync(at('net.safetensors'), writeSafetensors(await readStateDict(net.stateDict()), networkMetadata(net)));
  const made = await runCommand(
    'metrics',
    'ref',
    `--data=${at('emoji')}`,
    `--dest=${reference}`,
    '--backend=js',
    '--metrics=fd_small,kid_small',
  );
  expect(made.stderr).toBe('');
  expect(made.stdout).toContain('fd_small, kid_small of 12 images');
});
afterAll(() => {
  setDevelopmentMode(true);
  rmSync(folder, { recursive: true });
});

describe('metrics ref', () => {
  test('writes statistics of all images, also with classes that count alike', async () => {
    const { count, moments, features } = decodeStatistics(readFileSync(reference));
    expect([count, [...moments.keys()], [...features.keys()]]).toEqual([12, ['fd_small'], ['kid_small']]);
    const dest = at('even.safetensors');
    const { stdout } = await runCommand(
      'metrics',
      'ref',
      `--data=${at('emoji')}`,
      `--dest=${dest}`,
      '--balance',
      '--backend=js',
      '--json',
    );
    expect(JSON.parse(stdout)).toMatchObject({ dest, images: 12, metrics: ['fd_small'] });
    expect(decodeStatistics(readFileSync(dest)).moments.has('fd_small')).toBe(true);
  });
});

describe('metrics calc', () => {
  const calc = (...args: string[]) => runCommand('metrics', 'calc', `--images=${at('emoji')}`, '--backend=js', ...args);

  test('of the images themselves is 0 for means and covariances', async () => {
    const { code, stdout } = await calc(`--ref=${reference}`, '--num=12', '--json');
    expect(code).toBe(0);
    const { values } = JSON.parse(stdout) as { values: { metric: string; value: number }[] };
    expect(values.map(({ metric }) => metric)).toEqual(['fd_small', 'kid_small']);
    // The same features: roots of 80 roundings of squares of variances, which are below 10 in all.
    expect(Math.abs(values[0]!.value)).toBeLessThan(80 * Math.sqrt(16 * Number.EPSILON) * 10);
  });

  test('takes a drawn part, and says what it cannot measure', async () => {
    expect((await calc(`--ref=${reference}`, '--num=6', '--seed=3', '--metrics=fd_small')).stdout).toMatch(
      /FD-small \d/,
    );
    expect((await calc(`--ref=${reference}`, '--num=13')).stderr).toContain('holds 12 images, 13 are asked for');
    expect((await calc(`--ref=${reference}`)).stderr).toContain('50000 are asked for');
    expect((await calc(`--ref=${reference}`, '--num=12', '--metrics=fid')).stderr).toContain(
      "statistics of 'fid' are missing",
    );
    expect((await calc('--ref=nowhere.npz')).stderr).toContain(
      'nowhere.npz: there is no such file. Make it: edm2 metrics ref',
    );
    expect(await calc(`--ref=${reference}`, '--metrics=beauty')).toMatchObject({ code: 2 });
  });
});

describe('metrics sweep', () => {
  const sweep = (...args: string[]) =>
    runCommand(
      'metrics',
      'sweep',
      `--run=${at('run')}`,
      `--ref=${reference}`,
      `--csv=${at('sweep.csv')}`,
      '--backend=js',
      '--steps=1',
      '--metrics=fd_small',
      ...args,
    );

  test('measures averages of any length, and goes on where it stopped', async () => {
    using net = tinyNetwork(plain);
    const ema = new PowerFunctionEma(net, { stds: [0.05, 0.1] });
    mkdirSync(at('run'));
    for (const images of [1024, 2048]) {
      net.unet.outGain.assign(tensor(images / 1024));
      ema.update(images);
      for (const std of ema.stds) {
        const snapshot = { images: ema.images, std, values: await ema.snapshot(std), metadata: networkMetadata(net) };
        writeFileSync(at(`run/${snapshotName(snapshot)}`), encodeSnapshot(snapshot));
      }
    }
    const first = await sweep('--stds=0.09,0.06', '--num=4', '--json');
    expect(first.stderr).toContain('4 snapshots up to');
    expect(JSON.parse(first.stdout).rows.map(({ std }: { std: number }) => std)).toEqual([0.06, 0.09]);
    const table = readFileSync(at('sweep.csv'), 'utf8');
    expect(table).toMatch(/^# \{"images":.*\nstd,fd_small,agreement\n0\.06,[\d.]+,\n0\.09,[\d.]+,\n$/);
    const again = await sweep('--stds=0.06,0.09', '--num=4', `--svg=${at('sweep.svg')}`);
    expect(again.stdout).toContain('0 lengths to measure, 2 were');
    expect(readFileSync(at('sweep.csv'), 'utf8')).toBe(table);
    expect(readFileSync(at('sweep.svg'), 'utf8')).toContain('FD-small over the length of the average');
    expect((await sweep('--stds=0.06', '--num=5')).stderr).toMatch(
      /sweep\.csv: is of a sweep with num 4, not 5\. Give another file$/,
    );
  });

  test('needs snapshots', async () => {
    const outcome = await runCommand(
      'metrics',
      'sweep',
      `--run=${at('emoji')}`,
      `--ref=${reference}`,
      '--csv=x',
      '--stds=0.1',
    );
    expect(outcome).toMatchObject({ code: 1, stderr: expect.stringContaining('has no snapshots') });
  });
});

describe('metrics gen', () => {
  const gen = (...args: string[]) =>
    runCommand(
      'metrics',
      'gen',
      `--net=${at('net.safetensors')}`,
      `--ref=${reference}`,
      '--backend=js',
      '--steps=1',
      '--metrics=fd_small',
      ...args,
    );

  test('gives the least of several sets of seeds, each as it is by itself', async () => {
    const twice = JSON.parse((await gen('--num=4', '--repeats=2', '--json')).stdout);
    const second = JSON.parse((await gen('--num=4', '--seed=4', '--json')).stdout);
    const values = twice.sets.map(([one]: [{ value: number }]) => one.value);
    expect(values[1]).toBe(second.values[0].value);
    expect(twice.values[0].value).toBe(Math.min(...values));
  });

  test('needs a guide to guide', async () => {
    expect(await gen('--guidance=2')).toMatchObject({ code: 2, stderr: expect.stringContaining('needs --gnet') });
  });
});
