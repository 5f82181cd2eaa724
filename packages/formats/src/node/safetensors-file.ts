import { type FileHandle, open } from 'node:fs/promises';
import type { HostArray } from '../host-array.ts';
import { type HeaderEntry, headerEnd, parseHeader } from '../safetensors/header.ts';
import { type SafetensorsReadOptions, tensorFromBytes } from '../safetensors/read.ts';

/**
 * A safetensors file whose tensors are read one by one: memory holds its header, and what is asked for.
 *
 * @example
 * ```ts
 * await writeFileAtomically('out/empty.safetensors', writeSafetensors([], { made: 'today' }));
 * const file: SafetensorsFile = await openSafetensors('out/empty.safetensors');
 * file.names; // []
 * ```
 */
export class SafetensorsFile {
  readonly path: string;
  readonly metadata: ReadonlyMap<string, string>;
  readonly #entries: ReadonlyMap<string, HeaderEntry>;
  readonly #options: SafetensorsReadOptions;
  readonly #where: string;

  /** @internal {@link openSafetensors} makes them. */
  constructor(path: string, header: ReturnType<typeof parseHeader>, where: string, options: SafetensorsReadOptions) {
    this.path = path;
    this.metadata = header.metadata;
    this.#entries = new Map(header.entries.map((entry) => [entry.name, entry]));
    this.#options = options;
    this.#where = where;
  }

  /** Names of the tensors, in the order of the header. */
  get names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /**
   * All tensors by name, one after the other, each read when it is asked for.
   *
   * @throws when the file cannot be read, or was changed since it was opened.
   */
  async *tensors(): AsyncGenerator<[name: string, array: HostArray]> {
    const file = await openNamed(this.path, this.#where);
    try {
      for (const [name, entry] of this.#entries) {
        const content = await readBytes(file, entry.begin, entry.end - entry.begin, this.#where);
        yield [name, tensorFromBytes(entry, content, this.#where, this.#options)];
      }
    } finally {
      await file.close();
    }
  }
}

/**
 * Opens a safetensors file: reads and checks its header, and no tensor yet.
 *
 * @throws Error, one line, as `readSafetensors`, and when the file cannot be read.
 * @example
 * ```ts
 * const gain = { dtype: 'float32', shape: [], data: new Float32Array([1]) } as const;
 * await writeFileAtomically('out/gain.safetensors', writeSafetensors([['gain', gain]]));
 * const file = await openSafetensors('out/gain.safetensors');
 * for await (const [name, array] of file.tensors()) console.log(name, array.shape);
 * ```
 */
export async function openSafetensors(path: string, options: SafetensorsReadOptions = {}): Promise<SafetensorsFile> {
  const where = `openSafetensors ${options.file ?? path}`;
  const file = await openNamed(path, where);
  try {
    const { size } = await file.stat();
    const start = await readBytes(file, 0, Math.min(8, size), where);
    const bytes = await readBytes(file, 0, headerEnd(start, where, size), where);
    return new SafetensorsFile(path, parseHeader(bytes, where, size), where, options);
  } finally {
    await file.close();
  }
}

async function openNamed(path: string, where: string): Promise<FileHandle> {
  try {
    return await open(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'is a folder' : message;
    throw new Error(`${where}: ${reason}`, { cause: error });
  }
}

async function readBytes(file: FileHandle, position: number, length: number, where: string): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, position + filled);
    if (bytesRead === 0) throw new Error(`${where}: ends at byte ${position + filled}. Is the file cut off?`);
    filled += bytesRead;
  }
  return bytes;
}
