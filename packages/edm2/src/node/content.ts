import { readFile, stat } from 'node:fs/promises';

/**
 * What a file holds.
 *
 * @throws Error, one line naming the file, when it cannot be read.
 */
export async function contentOf(path: string): Promise<Uint8Array> {
  return readFile(path).catch((error: unknown) => {
    throw failure(path, error);
  });
}

/** @throws Error, one line, when there is nothing of that name. */
export async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch((error: unknown) => {
    throw failure(path, error);
  });
  return found.isDirectory();
}

function failure(path: string, error: unknown): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  return new Error(`${path}: ${reasons[code ?? ''] ?? message}`, { cause: error });
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'there is no such file or folder',
  EISDIR: 'is a folder, not a file',
  EACCES: 'may not be read',
  EPERM: 'may not be read',
};
