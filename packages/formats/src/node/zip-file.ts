import { type FileHandle, open } from 'node:fs/promises';
import {
  contentOffset,
  damaged,
  endBytes,
  findDirectory,
  localHeaderBytes,
  readDirectory,
  unpackZipEntry,
  type ZipEntry,
} from '../zip.ts';

/**
 * A zip archive on the disk of which only the directory is read at first, and then what is asked for: archives larger than
 * memory, zip64 included.
 *
 * @example
 * ```ts
 * const writer = await ZipWriter.create('notes.zip');
 * await writer.add('a.txt', new TextEncoder().encode('even'));
 * await writer.finish();
 *
 * const zip = await ZipFile.open('notes.zip');
 * zip.entries.map(({ name }) => name); // ['a.txt']
 * new TextDecoder().decode(await zip.read(zip.entries[0]!)); // 'even'
 * await zip.close();
 * ```
 */
export class ZipFile {
  readonly path: string;
  /** In the order of the archive's directory. */
  readonly entries: readonly ZipEntry[];
  readonly #handle: FileHandle;
  readonly #bytes: number;

  private constructor(path: string, entries: readonly ZipEntry[], handle: FileHandle, bytes: number) {
    this.path = path;
    this.entries = entries;
    this.#handle = handle;
    this.#bytes = bytes;
  }

  /** @throws Error, one line, when there is no such file, or it is no zip archive, or cut off. */
  static async open(path: string): Promise<ZipFile> {
    const handle = await open(path, 'r').catch((error: unknown) => {
      throw new Error(`${path}: ${reasonOf(error)}`, { cause: error });
    });
    try {
      const stat = await handle.stat();
      if (stat.isDirectory()) throw new Error(`${path}: is a folder, not a zip archive`);
      const tail = await readRange(handle, Math.max(0, stat.size - endBytes), Math.min(stat.size, endBytes));
      const { count, offset, size } = findDirectory(tail, stat.size, path);
      const entries = readDirectory(await readRange(handle, offset, size), count, path);
      return new ZipFile(path, entries, handle, stat.size);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /**
   * The content of one entry; its checksum is verified. Reads may overlap.
   *
   * @throws Error, one line, when the entry is damaged or cut off.
   */
  async read(entry: ZipEntry): Promise<Uint8Array> {
    const { offset, compressedSize } = entry;
    if (offset + localHeaderBytes + compressedSize > this.#bytes) throw damaged(entry, this.path);
    const header = await readRange(this.#handle, offset, localHeaderBytes);
    const start = offset + contentOffset(header, entry, this.path);
    return unpackZipEntry(await readRange(this.#handle, start, compressedSize), entry, this.path);
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** As many bytes as the file has of those asked for. */
async function readRange(handle: FileHandle, start: number, length: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, start + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'does not exist';
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read';
  return error instanceof Error ? error.message : String(error);
}
