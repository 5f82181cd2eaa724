import type { PickleConstructor } from '../pickle/index.ts';
import { readArchive } from './archive.ts';
import { torchConstructors } from './constructors.ts';
import { readLegacy } from './legacy.ts';

/** Options of {@link readTorch}. */
export interface TorchReadOptions {
  /** Names the file in error messages. */
  readonly file?: string;
  /** What may be built beyond tensors and plain data; see {@link readPickle}. */
  readonly construct?: Readonly<Record<string, PickleConstructor>>;
}

/**
 * Reads a file that `torch.save` wrote (`.pt`, `.pth`, `.ckpt`), of the present format or the one before 1.6. Tensors become
 * {@link TorchTensor}, dicts become maps; see {@link readPickle} for the rest, and for what is refused.
 *
 * @throws Error, one line, when the file is damaged, cut off, or names what may not be built.
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises';
 *
 * // what torch.save(model.state_dict(), file) wrote
 * async function readStateDictFile(file: string) {
 *   const dict = readTorch(await readFile(file), { file }) as Map<string, TorchTensor>;
 *   return new Map([...dict].map(([name, value]) => [name, value.hostArray()]));
 * }
 * ```
 */
export function readTorch(bytes: Uint8Array, options: TorchReadOptions = {}): unknown {
  const where = `readTorch${options.file === undefined ? '' : ` ${options.file}`}`;
  const construct = { ...torchConstructors(), ...options.construct };
  const isArchive = [0x50, 0x4b, 3, 4].every((byte, i) => bytes[i] === byte);
  return isArchive ? readArchive(bytes, where, construct) : readLegacy(bytes, where, construct);
}
