import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodePng, writeSafetensors } from '@evenkeel/formats';
import { setDevelopmentMode } from '@evenkeel/tensor';
import { InvalidArgumentError } from 'commander';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { guidanceInterval } from '../../src/cli/sampler-options.ts';
import { networkMetadata, type Precond, readStateDict } from '../../src/index.ts';
import { tinyNetwork } from '../tiny-network.ts';
import { runCommand } from './run-command.ts';

/** Few kernels: what is tested is what commands do with a network. */
const plain = { channelMult: [1], attnResolutions: [], channelsPerHead: 64 };
const folder = mkdtempSync(join(tmpdir(), 'evenkeel-sample-'));
const at = (name: string): string => join(folder, name);
const save = async (name: string, net: Precond) => {
  writeFileSync(at(name), writeSafetensors(await readStateDict(net.stateDict()), networkMetadata(net)));
  net.dispose();
};
beforeAll(async () => {
  setDevelopmentMode(false);
  await save('net.safetensors', tinyNetwork({ ...plain, imgChannels: 3 }));
  await save('guide.safetensors', tinyNetwork({ ...plain, imgChannels: 3, labelDim: 0 }));
  await save('latents.safetensors', tinyNetwork({ ...plain, imgChannels: 4 }));
});
afterAll(() => {
  setDevelopmentMode(true);
  rmSync(folder, { recursive: true });
});
const fast = ['--backend=js', '--steps=2'];
const net = () => `--net=${at('net.safetensors')}`;

test('writes one PNG a seed, and only what is missing when run again', async () => {
  const out = at('pictures');
  const run = (seeds: string, ...more: string[]) =>
    runCommand('sample', net(), `--outdir=${out}`, `--seeds=${seeds}`, ...fast, ...more);
  const first = await run('7,1000', '--subdirs', '--json');
  expect(first.stderr).toContain('[3, 4, 4], 3 classes');
  expect(JSON.parse(first.stdout)).toMatchObject({ written: 2, skipped: 0, guidance: 1 });
  expect(readdirSync(join(out, '000000'))).toEqual(['000007.png']);
  const picture = readFileSync(join(out, '001000', '001000.png'));
  expect(decodePng(picture)).toMatchObject({ width: 4, height: 4, channels: 3 });
  const planned = await run('7,8,1000', '--subdirs', '--dry-run');
  expect(planned.stdout).toContain('dry run: 1 pictures to make, 3 seeds');
  const again = await run('7,8,1000', '--subdirs', '--class=2');
  expect(again.stdout).toContain('1 pictures written, 2 were there');
  expect(readFileSync(join(out, '001000', '001000.png'))).toEqual(picture);
});

test('guides, and makes one picture of all', async () => {
  const grid = at('grid.png');
  const guide = [`--gnet=${at('guide.safetensors')}`, '--guidance=2', '--guidance-interval=0-0', '--S_churn=4'];
  const { code, stdout } = await runCommand(
    'sample',
    net(),
    `--grid=${grid}`,
    '--seeds=0-4',
    '--batch=2',
    ...guide,
    ...fast,
  );
  expect(code).toBe(0);
  expect(stdout).toContain('guidance 2 away from');
  expect(decodePng(readFileSync(grid))).toMatchObject({ width: 12, height: 8 });
});

test.each([
  [[], 2, 'give --outdir, or --grid'],
  [['--outdir=x'], 2, 'give --net, or --preset'],
  [['--outdir=x', '--net=y', '--guidance=2'], 2, '--guidance 2 needs --gnet'],
  [['--outdir=x', '--net=y', '--sigma_min=3', '--sigma_max=2'], 2, '--sigma_min is above --sigma_max'],
  [['--outdir=x', '--net=y', '--steps=0'], 2, 'Give a whole number at least 1'],
  [['--outdir=x', '--net=y', '--seeds=3-1'], 2, 'Give whole numbers and ranges'],
  [['--outdir=x', '--net=nowhere.pkl'], 1, 'nowhere.pkl'],
  [['--outdir=x', '--preset=best'], 2, 'lists the presets'],
  [['--outdir=x', '--preset=edm2-img64-s-fid'], 1, 'needs edm2-img64-s-1073741-0.075.pkl (or .safetensors) in .'],
])('%j fails with code %d: %s', async (args, code, message) => {
  const outcome = await runCommand('sample', ...args);
  expect(outcome.code).toBe(code);
  expect(outcome.stderr).toContain(message);
});

test('tells classes, images and encoders that do not fit', async () => {
  const complaint = async (...args: string[]) => (await runCommand('sample', '--outdir=x', ...args)).stderr;
  expect(await complaint(net(), '--class=3')).toContain('--class 3: ');
  expect(await complaint(net(), '--class=3')).toContain('has classes 0 to 2');
  expect(await complaint(net(), `--gnet=${at('latents.safetensors')}`)).toContain('Give a guide of the same images');
  expect(await complaint(`--net=${at('latents.safetensors')}`)).toContain('Give --vae');
});

test('guidance intervals are of steps, or of noise levels', () => {
  expect(guidanceInterval('17-22')).toEqual({ firstStep: 17, lastStep: 22 });
  expect(guidanceInterval('sigma=0.19-1.61')).toEqual({ sigmaAbove: 0.19, sigmaMost: 1.61 });
  expect(guidanceInterval('sigma=0.28-inf')).toEqual({ sigmaAbove: 0.28, sigmaMost: Number.POSITIVE_INFINITY });
  for (const text of ['', '5', '5-3', 'sigma=2-1', 'sigma=a-b', '0.1-0.2']) {
    expect(() => guidanceInterval(text), text).toThrow(InvalidArgumentError);
  }
});
