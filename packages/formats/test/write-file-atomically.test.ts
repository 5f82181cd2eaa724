import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assertWritable, writeFileAtomically } from '@evenkeel/formats/node';
import { afterEach, beforeEach, expect, test } from 'vitest';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('writes, overwrites and makes folders, leaving nothing else', async () => {
  const path = join(folder, 'a', 'b', 'file.bin');
  await writeFileAtomically(path, new Uint8Array([1, 2, 3]));
  expect([...readFileSync(path)]).toEqual([1, 2, 3]);
  await writeFileAtomically(path, 'text');
  expect(readFileSync(path, 'utf8')).toBe('text');
  expect(readdirSync(join(folder, 'a', 'b'))).toEqual(['file.bin']);
});

test('many writers of one path leave one of their contents', async () => {
  const path = join(folder, 'file');
  const contents = Array.from({ length: 8 }, (_, i) => String(i).repeat(100_000));
  await Promise.all(contents.map((content) => writeFileAtomically(path, content)));
  expect(contents).toContain(readFileSync(path, 'utf8'));
  expect(readdirSync(folder)).toEqual(['file']);
});

test('a path that cannot be written gives one line and leaves no part', async () => {
  writeFileSync(join(folder, 'file'), 'x');
  await expect(writeFileAtomically(join(folder, 'file', 'below'), '')).rejects.toThrow(
    `${join(folder, 'file', 'below')}: a part of the path is a file, not a folder. Choose another`,
  );
  mkdirSync(join(folder, 'sub', 'taken'), { recursive: true });
  await expect(writeFileAtomically(join(folder, 'sub', 'taken'), '')).rejects.toThrow(
    `${join(folder, 'sub', 'taken')}: the path is a folder. Give a file name`,
  );
  expect(readdirSync(join(folder, 'sub'))).toEqual(['taken']);
});

test.runIf(process.platform === 'linux')('a folder that cannot be made gives one line', async () => {
  await expect(writeFileAtomically('/proc/no/file', '')).rejects.toThrow(
    '/proc/no/file: the folder cannot be made. Choose another',
  );
});

test('whether a file could be written is found out without a trace', async () => {
  const path = join(folder, 'results', 'file');
  await assertWritable(path);
  expect(readdirSync(join(folder, 'results'))).toEqual([]);
  writeFileSync(path, 'kept');
  await assertWritable(path);
  expect(readFileSync(path, 'utf8')).toBe('kept');
  await expect(assertWritable(join(path, 'below'))).rejects.toThrow(
    `${join(path, 'below')}: a part of the path is a file, not a folder. Choose another`,
  );
  await expect(assertWritable(folder)).rejects.toThrow(`${folder}: the path is a folder. Give a file name`);
});
