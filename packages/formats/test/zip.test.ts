import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ZipFile, ZipWriter } from '@evenkeel/formats/node';
import fc from 'fast-check';
import { unzipSync, zipSync } from 'fflate';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { crc32 } from '../src/crc32.ts';
import { findDirectory, listZip, readDirectory } from '../src/zip.ts';
import { centralRecord, endRecords, localHeader } from '../src/zip-records.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-zip-'));
  path = join(folder, 'some.zip');
});
afterEach(() => rmSync(folder, { recursive: true }));

const contents = fc.uniqueArray(fc.tuple(fc.string({ minLength: 1, unit: 'grapheme' }), fc.uint8Array()), {
  selector: ([name]) => name,
  maxLength: 8,
});

async function write(files: readonly (readonly [string, Uint8Array])[]): Promise<void> {
  const writer = await ZipWriter.create(path);
  for (const [name, content] of files) await writer.add(name, content);
  await writer.finish();
}

async function readAll(): Promise<[string, Uint8Array][]> {
  await using zip = await ZipFile.open(path);
  const read: [string, Uint8Array][] = [];
  for (const entry of zip.entries) read.push([entry.name, await zip.read(entry)]);
  return read;
}

describe('an archive', () => {
  test('comes back as it was written, in order', async () => {
    await fc.assert(
      fc.asyncProperty(contents, async (files) => {
        await write(files);
        expect(await readAll()).toEqual(files.map(([name, content]) => [name, Uint8Array.from(content)]));
      }),
      { numRuns: 30 },
    );
  });

  test('is what others read, and theirs are read, deflated too', async () => {
    const files = { 'a/b.txt': new Uint8Array([1, 2, 3]), 'ü.bin': new Uint8Array(5000).fill(7) };
    await write(Object.entries(files));
    expect(unzipSync(readFileSync(path))).toEqual(files);
    for (const level of [0, 6] as const) {
      writeFileSync(path, zipSync(files, { level }));
      expect(Object.fromEntries(await readAll())).toEqual(files);
    }
  });

  test('has the bytes that its files fix', async () => {
    const files = [['x', new Uint8Array([5])]] as const;
    await write(files);
    const first = readFileSync(path);
    await write(files);
    expect(readFileSync(path).equals(first)).toBe(true);
  });

  test('has its old content until it is finished, and leaves nothing when it is discarded', async () => {
    await write([['old', new Uint8Array([1])]]);
    const old = readFileSync(path);
    const writer = await ZipWriter.create(path);
    await writer.add('new', new Uint8Array(1000));
    expect(readFileSync(path).equals(old)).toBe(true);
    await writer.discard();
    expect(readFileSync(path).equals(old)).toBe(true);
    expect(readdirSync(folder)).toEqual(['some.zip']);
  });

  test('refuses a name twice', async () => {
    const writer = await ZipWriter.create(path);
    await writer.add('a', new Uint8Array());
    await expect(writer.add('a', new Uint8Array())).rejects.toThrow('some.zip: two files are named "a"');
    await writer.discard();
  });
});

describe('zip64', () => {
  const far = { name: 'far.bin', crc32: crc32(new Uint8Array([9, 8])), size: 2, offset: 5 * 2 ** 30 };

  test('a file behind 5 GiB is read', async () => {
    const file = await open(path, 'w'); // sparse: takes a few KiB of the disk
    const header = localHeader(far);
    const start = far.offset + header.length + 2;
    await file.write(Buffer.concat([header, new Uint8Array([9, 8])]), 0, undefined, far.offset);
    const directory = centralRecord(far);
    await file.write(Buffer.concat([directory, endRecords(1, start, directory.length)]), 0, undefined, start);
    await file.close();
    expect(await readAll()).toEqual([['far.bin', new Uint8Array([9, 8])]]);
  });

  test('more files than 65,534 are counted', () => {
    const records = Array.from({ length: 70_000 }, (_, i) =>
      centralRecord({ ...far, name: String(i), offset: i * 64 }),
    );
    const directory = Buffer.concat(records);
    const archive = Buffer.concat([directory, endRecords(records.length, 0, directory.length)]);
    expect(findDirectory(archive, archive.length, 'x')).toEqual({ count: 70_000, offset: 0, size: directory.length });
    expect(readDirectory(directory, 70_000, 'x').at(-1)).toMatchObject({ name: '69999', offset: 69999 * 64 });
    expect(listZip(archive, 'x')).toHaveLength(70_000);
  });
});

describe('what is damaged gives one line', () => {
  test('no file, a folder, no archive, nothing at all', async () => {
    await expect(ZipFile.open(join(folder, 'none.zip'))).rejects.toThrow(`${join(folder, 'none.zip')}: does not exist`);
    await expect(ZipFile.open(folder)).rejects.toThrow('is a folder, not a zip archive');
    for (const content of ['', 'PK', 'x'.repeat(100_000)]) {
      writeFileSync(path, content);
      await expect(ZipFile.open(path)).rejects.toThrow('some.zip: not a zip archive, or cut off');
    }
  });

  test('every archive that is cut off', async () => {
    await write([
      ['a', new Uint8Array(300)],
      ['b', new Uint8Array(20)],
    ]);
    for (let length = readFileSync(path).length - 1; length > 0; length -= 13) {
      truncateSync(path, length);
      await expect(readAll()).rejects.toThrow('some.zip: not a zip archive, or cut off');
    }
  });

  test('every archive of which a byte is another reads as before, or says so', async () => {
    const files = [
      ['a', new Uint8Array([1, 2, 3])],
      ['folder/b', new Uint8Array(40).fill(3)],
    ] as const;
    await write(files);
    const whole = readFileSync(path);
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const changed = Uint8Array.from(whole);
        changed[at]! ^= change;
        writeFileSync(path, changed);
        const read = await readAll().catch((error: unknown) => {
          expect((error as Error).message).toMatch(/^[^\n]+$/);
          return [];
        });
        // Names have no checksum; contents do.
        if (read)
          for (const [, content] of read) expect(files.map(([, c]) => c)).toContainEqual(Uint8Array.from(content));
      }),
      { numRuns: 200 },
    );
  });
});
