import { appendFile } from 'node:fs/promises';

/** Appends to a file, or says in one line which one it was and why not. */
export async function appendToFile(path: string, content: Uint8Array | string): Promise<void> {
  try {
    await appendFile(path, content);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOSPC' ? 'the disk is full. Free some space' : message;
    throw new Error(`cannot write to ${path}: ${reason}`, { cause: error });
  }
}
