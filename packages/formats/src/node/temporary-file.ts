import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

let made = 0;

/**
 * A file under a temporary name beside the path that it is for, until all of it is written: a reader, or a crash at any
 * moment, sees the old content of the path or the new one. Missing folders are made.
 */
export class TemporaryFile {
  readonly path: string;
  readonly handle: FileHandle;
  readonly #name: string;

  private constructor(path: string, name: string, handle: FileHandle) {
    this.path = path;
    this.#name = name;
    this.handle = handle;
  }

  static async create(path: string): Promise<TemporaryFile> {
    const name = join(dirname(path), `.${basename(path)}.${process.pid}.${made++}.tmp`);
    return new TemporaryFile(path, name, await openInFolder(name));
  }

  /** Flushes the content to the disk, gives it its name, and flushes the folder, which holds names. */
  async commit(): Promise<void> {
    await this.handle.sync();
    await this.handle.close();
    await rename(this.#name, this.path);
    await flushFolder(dirname(this.path));
  }

  /** Leaves nothing behind; after {@link commit}, does nothing. */
  async discard(): Promise<void> {
    await this.handle.close().catch(() => {});
    await rm(this.#name, { force: true }).catch(() => {});
  }
}

/** Where folders cannot be flushed (Windows, some network disks), nothing is. */
async function flushFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined);
  await folder?.sync().catch(() => {});
  await folder?.close();
}

async function openInFolder(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx');
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    await makeFolder(dirname(path));
    return open(path, 'wx');
  }
}

/** Node's own recursive `mkdir` does not come back from folders that can have no children, such as /proc. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return;
    if (codeOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
    await makeFolder(dirname(path));
    await mkdir(path).catch((again: unknown) => {
      if (codeOf(again) !== 'EEXIST') throw again;
    });
  }
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;
