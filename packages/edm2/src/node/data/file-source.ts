import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ZipFile } from '@evenkeel/formats/node';

/** Named files, in a folder or a zip archive. */
export interface FileSource {
  readonly path: string;
  /** Of all files, with folders in front (`a/b.png`), sorted. */
  readonly names: readonly string[];
  read(name: string): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** @throws Error, one line, when there is nothing at the path, or neither a folder nor a zip archive. */
export async function openFileSource(path: string): Promise<FileSource> {
  const found = await stat(path).catch((error: unknown) => {
    throw new Error(`${path}: ${reasonOf(error)}`, { cause: error });
  });
  return found.isDirectory() ? folderSource(path) : zipSource(path);
}

async function folderSource(path: string): Promise<FileSource> {
  const names: string[] = [];
  await listFolder(path, '', names);
  return {
    path,
    names: names.sort(),
    async read(name) {
      try {
        return await readFile(join(path, name));
      } catch (error) {
        throw new Error(`${join(path, name)}: ${reasonOf(error)}`, { cause: error });
      }
    },
    close: async () => {},
  };
}

async function listFolder(root: string, below: string, names: string[]): Promise<void> {
  for (const entry of await readdir(join(root, below), { withFileTypes: true })) {
    const name = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) await listFolder(root, name, names);
    else names.push(name);
  }
}

async function zipSource(path: string): Promise<FileSource> {
  const zip = await ZipFile.open(path);
  const entries = new Map(zip.entries.map((entry) => [entry.name, entry]));
  return {
    path,
    names: [...entries.keys()].filter((name) => !name.endsWith('/')).sort(),
    async read(name) {
      const entry = entries.get(name);
      if (entry === undefined) throw new Error(`${path}: holds no ${JSON.stringify(name)}`);
      return zip.read(entry);
    },
    close: () => zip.close(),
  };
}

function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'does not exist';
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read';
  return error instanceof Error ? error.message : String(error);
}
