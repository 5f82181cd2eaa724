import { stat } from 'node:fs/promises';
import { fileReason } from './file-error.ts';
import { TemporaryFile } from './temporary-file.ts';

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
  let file: TemporaryFile | undefined;
  try {
    file = await TemporaryFile.create(path);
    await file.handle.writeFile(content);
    await file.commit();
  } catch (error) {
    await file?.discard();
    throw new Error(`${path}: ${fileReason(error)}`, { cause: error });
  }
}

/**
 * Finds out whether a file could be written there, before work is done whose result would be lost: makes missing folders and a
 * temporary file, and takes the file away. What the path holds stays.
 *
 * @throws Error, one line, naming path and reason, as `writeFileAtomically`.
 * @example
 * ```ts
 * await assertWritable('out/result.txt');
 * await writeFileAtomically('out/result.txt', 'found after hours');
 * ```
 */
export async function assertWritable(path: string): Promise<void> {
  try {
    const isFolder = await stat(path).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (isFolder) throw Object.assign(new Error(), { code: 'EISDIR' });
    const file = await TemporaryFile.create(path);
    await file.discard();
  } catch (error) {
    throw new Error(`${path}: ${fileReason(error)}`, { cause: error });
  }
}
