import { readdir } from 'node:fs/promises';

/** A snapshot in a folder, as far as its name tells. */
export interface NamedSnapshot {
  readonly name: string;
  /** What the name starts with, before time and length. */
  readonly prefix: string;
  /** Images seen, or thousands of them: the same for all files of a training. */
  readonly time: number;
  readonly std: number;
}

/** `network-snapshot-0008388-0.050.safetensors`, whatever it starts with; the `.pkl` of published code too. */
const pattern = /^(?:(.+)-)?(\d{7,})-(\d\.\d{3})\.(?:safetensors|pkl)$/;

/**
 * The files of a folder whose names are those of snapshots, in the order of their names.
 *
 * @throws Error, one line, when the folder cannot be read.
 */
export async function snapshotsIn(folder: string): Promise<NamedSnapshot[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === 'ENOENT' ? 'there is no such folder' : 'is not a folder';
    const isKnown = error.code === 'ENOENT' || error.code === 'ENOTDIR';
    throw new Error(`${folder}: ${isKnown ? reason : error.message}`, { cause: error });
  });
  return names.sort().flatMap((name) => {
    const [, prefix = '', time, std] = pattern.exec(name) ?? [];
    return time === undefined ? [] : [{ name, prefix, time: Number(time), std: Number(std) }];
  });
}
