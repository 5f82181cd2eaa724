import { mkdir, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ZipWriter } from '@evenkeel/formats/node';
import type { Label } from './label-file.ts';

/**
 * Writes a data set, a folder or a stored zip archive (where the name ends so), with its `dataset.json`. Until it is finished
 * the destination is as it was.
 */
export interface DatasetWriter {
  /** @param label undefined where it has none. */
  add(name: string, content: Uint8Array, label: Label | undefined): Promise<void>;
  /** Writes labels, if every image has one, and gives the data set its name. */
  finish(): Promise<void>;
  /** Leaves nothing behind. */
  discard(): Promise<void>;
}

/** @throws Error, one line, when the destination is a folder with something in it, or cannot be written. */
export async function createDataset(dest: string): Promise<DatasetWriter> {
  const files = /\.zip$/i.test(dest) ? await zipWriter(dest) : await folderWriter(dest);
  const labels: [name: string, label: Label | undefined][] = [];
  return {
    async add(name, content, label) {
      await files.add(name, content);
      labels.push([name, label]);
    },
    async finish() {
      const all = labels.every(([, label]) => label !== undefined) ? labels : null;
      await files.add('dataset.json', new TextEncoder().encode(JSON.stringify({ labels: all })));
      await files.finish();
    },
    discard: () => files.discard(),
  };
}

/** The name of image `index`, in the folder of its first five digits: `00012/img00012345.png`. */
export function imageName(index: number, ending: string): string {
  const digits = String(index).padStart(8, '0');
  return `${digits.slice(0, 5)}/${ending.replace('*', digits)}`;
}

interface FilesWriter {
  add(name: string, content: Uint8Array): Promise<void>;
  finish(): Promise<void>;
  discard(): Promise<void>;
}

async function zipWriter(path: string): Promise<FilesWriter> {
  return ZipWriter.create(path);
}

/** A folder under a temporary name beside its place, until all of it is there. */
async function folderWriter(path: string): Promise<FilesWriter> {
  const present = await readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new Error(`${path}: is a file. Give a new folder, or a name that ends in .zip`, { cause: error });
  });
  if (present !== undefined && present.length > 0) {
    throw new Error(`${path}: is not empty. Give a new folder, or a name that ends in .zip`);
  }
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  await rm(temporary, { recursive: true, force: true });
  const folders = new Set<string>();
  return {
    async add(name, content) {
      const file = join(temporary, name);
      try {
        if (!folders.has(dirname(file))) await mkdir(dirname(file), { recursive: true });
        folders.add(dirname(file));
        await writeFile(file, content);
      } catch (error) {
        throw new Error(`${path}: ${reasonOf(error)}`, { cause: error });
      }
    },
    async finish() {
      if (present !== undefined) await rmdir(path);
      await rename(temporary, path);
    },
    discard: () => rm(temporary, { recursive: true, force: true }),
  };
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC') return 'the disk is full. Free some space';
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return 'the folder is not writable. Choose another';
  return message;
}
