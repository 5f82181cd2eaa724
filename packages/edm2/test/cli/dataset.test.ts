import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { labelFile, pngOf, writeFolder } from '../image-files.ts';
import { runCommand } from './run-command.ts';

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'evenkeel-cli-'));
});
afterEach(() => rmSync(scratch, { recursive: true }));

const at = (name: string) => join(scratch, name);
const dataset = (...args: string[]) => runCommand('dataset', ...args);

describe('edm2 dataset', () => {
  const photos = { 'cat/1.png': pngOf(1, 9, 6), 'dog/1.png': pngOf(2, 6, 7), 'dog/2.png': pngOf(3, 3, 3) };

  test('convert, then info', async () => {
    writeFolder(at('photos'), photos);
    const size = ['--transform', 'center-crop-wide', '--resolution', '4x2'];
    const { code, stdout } = await dataset('convert', '--source', at('photos'), '--dest', at('out.zip'), ...size);
    expect([code, stdout]).toEqual([0, `${at('out.zip')}: 2 images\n1 images are too small and were left out\n`]);
    const info = await dataset('info', at('out.zip'), '--check');
    expect(info).toEqual({
      code: 0,
      stdout: `${at('out.zip')}: 2 images, 3 x 4 x 4 (pixels), 2 classes; all of them read well\n  0  1\n  1  1\n`,
      stderr: '',
    });
  });

  test('--json prints one line', async () => {
    writeFolder(at('photos'), {
      'a.png': pngOf(1, 4),
      'b.png': pngOf(2, 4),
      'dataset.json': labelFile({ 'a.png': 0 }),
    });
    const { stdout } = await dataset(
      'convert',
      '--source',
      at('photos'),
      '--dest',
      at('out'),
      '--max-images',
      '2',
      '--json',
    );
    expect(JSON.parse(stdout)).toEqual({ dest: at('out'), written: 2, skipped: 0, unlabelled: 1 });
    const info = await dataset('info', at('out'), '--json');
    expect(JSON.parse(info.stdout)).toEqual({
      path: at('out'),
      images: 2,
      channels: 3,
      resolution: 4,
      values: 'pixels',
      labelDim: 0,
      classCounts: null,
      classNames: null,
    });
  });

  test('says when labels are missing', async () => {
    writeFolder(at('photos'), {
      'a.png': pngOf(1, 4),
      'b.png': pngOf(2, 4),
      'dataset.json': labelFile({ 'a.png': 0 }),
    });
    const { stdout } = await dataset('convert', '--source', at('photos'), '--dest', at('out'));
    expect(stdout).toContain('1 images have no label: the data set has none');
    const { stdout: again } = await dataset('convert', '--source', at('out'), '--dest', at('again.zip'));
    expect(again).toBe(`${at('again.zip')}: 2 images\nwithout labels\n`);
  });

  const files = ['--source', 'photos', '--dest', 'out'];
  test.each([
    [['convert', '--dest', 'out'], "required option '--source <path>' not specified"],
    [['convert', ...files, '--transform', 'center-crop'], '--transform center-crop needs --resolution'],
    [['convert', ...files, '--transform', 'stretch'], 'Allowed choices are center-crop'],
    [['convert', ...files, '--resolution', '64'], 'Give width and height, such as 64x64.'],
    [['convert', ...files, '--resolution', '0x4'], 'Give width and height, such as 64x64.'],
    [
      ['convert', ...files, '--transform', 'center-crop-dhariwal', '--resolution', '4x8'],
      'makes squares: give --resolution as 64x64',
    ],
    [['convert', ...files, '--max-images', '0'], 'Give at least 1.'],
    [['encode', ...files], '--model is missing: give the file of weights'],
    [['info'], "missing required argument 'path'"],
  ])('%j is asked for wrongly', async (args, message) => {
    const { code, stderr } = await dataset(...args);
    expect([code, stderr.includes(message)], stderr).toEqual([2, true]);
  });

  test('a failure is one line, and leaves nothing', async () => {
    const { code, stderr } = await dataset('convert', '--source', at('none'), '--dest', at('out'));
    expect([code, stderr]).toEqual([1, `${at('none')}: does not exist`]);
    writeFolder(at('photos'), photos);
    const failed = await dataset('convert', '--source', at('photos'), '--dest', at('out.zip'));
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain('cat/1.png comes out 9 x 6: images must be square');
    expect(readdirSync(scratch)).toEqual(['photos']);
  });
});
