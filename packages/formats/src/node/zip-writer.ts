import { crc32 } from '../crc32.ts';
import { centralRecord, endRecords, localHeader, mostEntryBytes, type StoredEntry } from '../zip-records.ts';
import { fileReason } from './file-error.ts';
import { TemporaryFile } from './temporary-file.ts';

/**
 * Writes a zip archive of stored (not compressed) files, one after the other: memory holds one of them at a time, and the
 * list of names. The path has its old content until {@link ZipWriter.finish}. Past 4 GiB or 65,534 files it is zip64. The
 * same files give the same bytes.
 *
 * @example
 * ```ts
 * const writer = await ZipWriter.create('numbers.zip');
 * for (let i = 0; i < 3; i++) await writer.add(`${i}.bin`, new Uint8Array([i]));
 * await writer.finish();
 * ```
 */
export class ZipWriter {
  readonly path: string;
  readonly #file: TemporaryFile;
  readonly #entries: StoredEntry[] = [];
  readonly #names = new Set<string>();
  #offset = 0;

  private constructor(file: TemporaryFile) {
    this.path = file.path;
    this.#file = file;
  }

  /** @throws Error, one line, when the path cannot be written. */
  static async create(path: string): Promise<ZipWriter> {
    try {
      return new ZipWriter(await TemporaryFile.create(path));
    } catch (error) {
      throw failure(path, error);
    }
  }

  /**
   * Adds a file; wait for it before the next.
   *
   * @throws Error, one line, when the name is there already, or the disk is full; the archive is to be discarded then.
   */
  async add(name: string, content: Uint8Array): Promise<void> {
    const shown = JSON.stringify(name);
    if (name === '') throw new Error(`${this.path}: a file has an empty name`);
    if (this.#names.has(name)) throw new Error(`${this.path}: two files are named ${shown}`);
    if (content.length > mostEntryBytes) throw new Error(`${this.path}: ${shown} is larger than 4 GiB`);
    const entry = { name, crc32: crc32(content), size: content.length, offset: this.#offset };
    await this.#write(localHeader(entry), content);
    this.#names.add(name);
    this.#entries.push(entry);
  }

  /** Writes the directory, flushes all to the disk, and gives the archive its name. */
  async finish(): Promise<void> {
    const start = this.#offset;
    // A megabyte or so at a time.
    for (let first = 0; first < this.#entries.length; first += 8192) {
      await this.#write(...this.#entries.slice(first, first + 8192).map(centralRecord));
    }
    await this.#write(endRecords(this.#entries.length, start, this.#offset - start));
    try {
      await this.#file.commit();
    } catch (error) {
      await this.discard();
      throw failure(this.path, error);
    }
  }

  /** Gives up: nothing is left behind, and what the path held before stays. */
  async discard(): Promise<void> {
    await this.#file.discard();
  }

  async #write(...parts: Uint8Array[]): Promise<void> {
    try {
      const bytes = Buffer.concat(parts);
      await this.#file.handle.writeFile(bytes);
      this.#offset += bytes.length;
    } catch (error) {
      await this.discard();
      throw failure(this.path, error);
    }
  }
}

function failure(path: string, error: unknown): Error {
  return new Error(`${path}: ${fileReason(error)}`, { cause: error });
}
