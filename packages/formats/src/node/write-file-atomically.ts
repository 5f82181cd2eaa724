import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

let written = 0;

/**
 * Writes a file so that a reader, or a crash at any moment, sees the old content or the new one, never a part: to a
 * temporary name in the same folder, flushed to the disk, then renamed. Missing folders are made.
 *
 * @throws Error, one line, naming path and reason (no permission, disk full, the path is a folder); nothing is left behind.
 * @example
 * ```ts
 * const bias = { dtype: 'float32', shape: [2], data: new Float32Array([1, 2]) } as const;
 * await writeFileAtomically('out/net.safetensors', writeSafetensors([['bias', bias]]));
 * ```
 */
export async function writeFileAtomically(path: string, content: Uint8Array | string): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.${written++}.tmp`);
  try {
    const file = await openInFolder(temporary);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw new Error(`writeFileAtomically ${path}: ${reasonOf(error)}`, { cause: error });
  }
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

function reasonOf(error: unknown): string {
  const code = codeOf(error);
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return 'the folder is not writable. Choose another';
  if (code === 'ENOTDIR' || code === 'EEXIST') return 'a part of the path is a file, not a folder. Choose another';
  if (code === 'EISDIR') return 'the path is a folder. Give a file name';
  if (code === 'ENOSPC') return 'the disk is full. Free some space';
  if (code === 'ENOENT') return 'the folder cannot be made. Choose another';
  return error instanceof Error ? error.message : String(error);
}
