import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Linear } from '@evenkeel/nn';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PowerFunctionEma } from '../../src/index.ts';
import { saveSnapshots } from '../../src/node/index.ts';
import { runCommand } from './run-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'evenkeel-refusals-'));
const at = (name: string): string => join(folder, name);
beforeAll(async () => {
  mkdirSync(at('empty'));
  writeFileSync(at('file'), 'no folder');
  writeFileSync(at('net.pkl'), 'cos\nsystem\n.');
  const ema = new PowerFunctionEma(new Linear(2, 1));
  for (const images of [1024, 2048]) {
    ema.update(images);
    await saveSnapshots(ema, at('run'));
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

const reconstruct = ['reconstruct', `--indir=${at('run')}`, '--outstd=0.07'];

test.each([
  [['sample', `--net=${at('gone')}`, '--grid=a.png'], 1, 'gone: there is no such file or folder'],
  [['sample', `--net=${at('empty')}`, '--grid=a.png'], 1, 'empty: holds no snapshot'],
  [['sample', `--net=${at('net.pkl')}`, '--grid=a.png'], 1, 'net.pkl: '],
  [['sample', `--net=${at('run')}`, '--grid=a.jpg'], 2, 'Give a name that ends in .png.'],
  [['sample', '--preset=edm3', '--grid=a.png'], 2, 'edm2 sample --help lists the presets.'],
  [['sample', '--threads=1000', '--grid=a.png'], 2, 'at least 1 and at most 256'],
  [['metrics', 'ref', '--data=emoji16', '--dest=a.txt'], 2, 'Give a name that ends in .npz or .safetensors.'],
  [['metrics', 'ref', '--data=emoji16', '--dest=a.npz', '--balance', '--metrics=kid_small'], 2, 'kid_small cannot be'],
  [['metrics', 'ref', '--data=emoji16', `--dest=${at('file')}/a.npz`], 1, 'a part of the path is a file'],
  [['metrics', 'calc', '--images=a', '--ref=b', '--num=1'], 2, 'Give at least 2.'],
  [['toy', 'plot', `--net=${at('gone')}`], 1, 'gone: there is no such file or folder'],
  [['toy', 'train', `--outdir=${at('file')}/toy`, '--steps=1', '--batch=8'], 1, 'a part of the path is a file'],
  [[...reconstruct, '--outdir=out', '--plot=a.png'], 2, 'Give a name that ends in .svg.'],
  [[...reconstruct, `--outdir=${at('file')}`], 1, 'a part of the path is a file'],
  [['reconstruct', '--indir=run', '--outdir=out', '--outstd=0.3'], 2, 'Give a number above 0 and below 0.288675.'],
  [['reconstruct', `--indir=${at('gone')}`, '--outdir=out', '--outstd=0.1'], 1, 'gone: there is no such folder'],
  [['train', `--outdir=${at('file')}/run`, '--data=emoji16'], 1, 'a part of the path is a file'],
  [['train', '--outdir=out', `--data=${at('gone')}`], 1, 'gone: does not exist'],
])('edm2 %j', async (args, code, message) => {
  const before = readdirSync(folder);
  const outcome = await runCommand(...args);
  expect(outcome).toMatchObject({ code, stderr: expect.stringContaining(message) });
  expect(outcome.stderr.replace(/\n\(--help lists the options\)\n$/, '')).not.toContain('\n');
  expect(readdirSync(folder)).toEqual(before);
});

test.runIf(process.platform === 'linux')('where no folder can be made, no command hangs', async () => {
  const outcome = await runCommand(...reconstruct, '--outdir=/proc/none');
  expect(outcome).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^\/proc\/none\/.* the folder cannot be made/),
  });
});

test('a length that snapshots do not span is made, with a warning', async () => {
  const { code, stderr } = await runCommand(...reconstruct, '--outstd=0.2', `--outdir=${at('made')}`, '--json');
  expect(code).toBe(0);
  expect(stderr).toMatch(
    /^warning: EMA length 0\.2 is outside of what the snapshots span: .* magnitudes sum to [\d.]+\./m,
  );
  expect(existsSync(at('made/phema-0000002-0.200.safetensors'))).toBe(true);
});
