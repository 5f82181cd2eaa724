import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeSnapshot, PowerFunctionEma } from '@evenkeel/edm2/ema';
import { saveSnapshots } from '@evenkeel/edm2/node';
import { decodePng } from '@evenkeel/formats';
import { Linear } from '@evenkeel/nn';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleSources } from '../scripts/bundle-sources.mjs';
import { root } from './code-blocks.ts';

/** Ignored by git, and inside the repository, where packages of others are found. */
const programs = join(root, 'out', 'reconstruct-and-toy-test');
const scratch = mkdtempSync(join(tmpdir(), 'evenkeel-commands-'));

beforeAll(async () => {
  await bundleSources({ edm2: join(root, 'packages/edm2/src/cli/main.ts') }, programs);
  using model = new Linear(3, 2);
  using ema = new PowerFunctionEma(model);
  for (let step = 1; step <= 8; step++) {
    ema.update(step * 1024);
    await saveSnapshots(ema, join(scratch, 'run'));
  }
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function edm2(...options: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(programs, 'edm2.mjs'), ...options], {
    cwd: scratch,
    encoding: 'utf8',
    timeout: 120_000,
  });
  return { code: status, stdout, stderr };
}

describe('edm2 reconstruct', () => {
  const common = ['reconstruct', '--indir', 'run', '--outdir', 'made'];

  test('makes a file for each length, and with --skip makes none twice', () => {
    const first = edm2(...common, '--outstd', '0.06,0.07,...,0.10', '--plot', 'made/profiles.svg', '--json');
    expect(first.stderr).not.toMatch(/^(error|warning)/m);
    expect(first.stdout).toMatch(/^[^\n]*\n$/);
    const { files } = JSON.parse(first.stdout);
    expect(files.map(({ path, made }: { path: string; made: boolean }) => [path, made])).toEqual(
      ['0.060', '0.070', '0.080', '0.090', '0.100'].map((std) => [
        join('made', `phema-0000008-${std}.safetensors`),
        true,
      ]),
    );
    const path = join(scratch, 'made/phema-0000008-0.070.safetensors');
    const { images, std, values } = decodeSnapshot(readFileSync(path), path);
    expect([images, std, [...values.keys()], values.get('weight')!.dtype]).toEqual([
      8192,
      0.07,
      ['weight', 'bias'],
      'float16',
    ]);
    expect(readFileSync(join(scratch, 'made/profiles.svg'), 'utf8')).toContain('<polyline');
    const second = edm2(...common, '--outstd', '0.05,0.07', '--skip');
    expect(second.code).toBe(0);
    expect(second.stdout).toMatch(/0\.07: .*is there\n/);
    expect(second.stdout).toContain('1 made in');
    expect(readdirSync(join(scratch, 'made')).sort()).toHaveLength(7);
  });

  test('a dry run tells what would be, warns of what is not spanned, and writes nothing', () => {
    const { code, stdout, stderr } = edm2(...common, '--outdir', 'dry', '--outstd', '0.01', '--outkimg', '4', '-n');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^run: snapshots up to 4096 images, 8 in all\n.*length 0\.01: profile error 66%/);
    expect(stderr).toMatch(/^warning: EMA length 0\.01 is outside of what the snapshots span[^\n]*\n$/);
    expect(readdirSync(scratch)).not.toContain('dry');
  });

  test.each([
    [['--outstd', '0.3'], 2, /Give a number above 0 and below 0\.288675/],
    [['--outstd', '0'], 2, /above 0/],
    [['--outstd', '0.1,...'], 2, /outstd/],
    [[], 2, /required option '--outstd <list>' not specified/],
    [['--outstd', '0.1', '--outkimg', '5.5'], 2, /whole number/],
    [['--outstd', '0.1', '--outkimg', '9'], 1, /no snapshot at 9 kimg\. There are some at 1, 2, 3/],
    [['--outstd', '0.1', '--instd', '0.2'], 1, /no snapshots of these lengths/],
    [['--outstd', '0.1', '--indir', 'none'], 1, /there is no such folder/],
  ])('refuses %s', (options, code, complaint) => {
    const ended = edm2(...common, ...options);
    expect(ended.stderr).toMatch(complaint);
    expect([ended.code, ended.stdout]).toEqual([code, '']);
    if (code === 1) expect(ended.stderr.trimEnd()).not.toContain('\n');
  });

  test('names a damaged snapshot', () => {
    truncateSync(join(scratch, 'run/network-snapshot-0000003-0.100.safetensors'), 40);
    const { code, stderr } = edm2(...common, '--outstd', '0.1');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: .*network-snapshot-0000003-0\.100\.safetensors: .*cut off\?\n$/);
  });
});

describe('edm2 toy', () => {
  const sizes = ['--layers', '1', '--dim', '8', '--steps', '2', '--batch', '64', '--backend', 'js'];

  test('trains, and plots what it trained, guided too', () => {
    const trained = edm2('toy', 'train', '--outdir', 'toy', ...sizes, '--json');
    expect(trained.stderr).not.toMatch(/^(error|warning)/m);
    expect(trained.stdout).toMatch(/^[^\n]*\n$/);
    const { steps, loss, files } = JSON.parse(trained.stdout);
    expect([steps, Number.isFinite(loss), files]).toEqual([
      2,
      true,
      ['iter0000002.safetensors', 'samples.svg', 'samples.png'].map((name) => join('toy', name)),
    ]);
    const net = join('toy', 'iter0000002.safetensors');
    const options = ['--net', net, '--gnet', net, '--count', '50', '--backend', 'js'];
    expect(edm2('toy', 'plot', ...options, '--save', 'guided.png').code).toBe(0);
    expect(decodePng(readFileSync(join(scratch, 'guided.png'))).width).toBe(2 * (10 + 3 * 370));
  });

  test.each([
    [['train'], 2, /required option '--outdir <folder>'/],
    [['train', '--outdir', 'x', '--cls', 'C'], 2, /Allowed choices are A, B, AB/],
    [['train', '--outdir', 'x', '--dim', '0'], 2, /whole number at least 1/],
    [['plot', '--net', 'none.safetensors'], 1, /none\.safetensors/],
    [['plot', '--net', 'x', '--save', 'x.gif'], 2, /ends in \.svg or \.png/],
    [['plot', '--net', 'run/network-snapshot-0000001-0.050.safetensors'], 1, /does not describe a network of the toy/],
  ])('refuses %s', (options, code, complaint) => {
    const ended = edm2('toy', ...options);
    expect(ended.stderr).toMatch(complaint);
    expect(ended.code).toBe(code);
  });
});
