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
    throw new Error(`writeFileAtomically ${path}: ${fileReason(error)}`, { cause: error });
  }
}
