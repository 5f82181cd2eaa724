import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type HostArray, readSafetensors } from '@evenkeel/formats';

/** What a tensor of a case is for: given, loaded into the network, expected, or an expected gradient. */
export type Role = 'in' | 'param' | 'out' | 'grad';

/** One entry of the manifest's `cases`. */
export interface ManifestCase {
  readonly id: string;
  readonly kind: string;
  readonly file?: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: Readonly<Partial<Record<Role, readonly string[]>>>;
}

/** A folder of reference values: `manifest.json` and the safetensors files that it names. */
export class ReferenceFolder {
  readonly path: string;
  readonly cases: readonly ManifestCase[];
  readonly #tolerances: Readonly<Record<string, Readonly<Record<string, { readonly atol?: number }>>>>;
  readonly #files = new Map<string, Promise<ReadonlyMap<string, HostArray>>>();

  private constructor(path: string, manifest: Manifest) {
    this.path = path;
    this.cases = manifest.cases;
    this.#tolerances = manifest.stats ?? {};
  }

  /** @throws one line when the manifest cannot be read or has another form. */
  static async open(path: string): Promise<ReferenceFolder> {
    const file = join(path, 'manifest.json');
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      throw new Error(`${file}: ${reasonOf(error)}. Give a folder that holds manifest.json and safetensors files`);
    }
    let manifest: unknown;
    try {
      manifest = JSON.parse(text);
    } catch {
      throw new Error(`${file}: is not JSON. Is the file cut off?`);
    }
    return new ReferenceFolder(path, checkManifest(file, manifest));
  }

  /** The manifest's case of that name. */
  find(id: string): ManifestCase {
    const found = this.cases.find((one) => one.id === id);
    if (found === undefined) throw new Error(`the manifest has no case '${id}'`);
    return found;
  }

  /** @throws one line when the file or the tensor is missing. */
  async tensor(one: ManifestCase, role: Role, name: string): Promise<HostArray> {
    const { file } = one;
    if (file === undefined) throw new Error(`case '${one.id}' names no file`);
    let tensors = this.#files.get(file);
    if (tensors === undefined) {
      tensors = readTensors(join(this.path, file), file);
      this.#files.set(file, tensors);
    }
    const key = `${one.id}/${role}/${name}`;
    const array = (await tensors).get(key);
    if (array === undefined) throw new Error(`${file} has no tensor '${key}'`);
    return array;
  }

  /** Content of a file that is no safetensors file, such as an archive that a case's config names. */
  bytes(file: string): Promise<Uint8Array> {
    return readBytes(join(this.path, file));
  }

  /** The largest absolute deviation that passes, or undefined where the manifest gives none. */
  tolerance(one: ManifestCase, role: Role, name: string): number | undefined {
    const file = one.file ?? '';
    const table = this.#tolerances[file] ?? this.#tolerances[file.replace(/\.safetensors$/, '')];
    const atol: unknown = table?.[`${one.id}/${role}/${name}`]?.atol;
    return typeof atol === 'number' ? atol : undefined;
  }
}

interface Manifest {
  readonly cases: readonly ManifestCase[];
  readonly stats?: Readonly<Record<string, Readonly<Record<string, { readonly atol?: number }>>>>;
}

async function readTensors(path: string, file: string): Promise<ReadonlyMap<string, HostArray>> {
  return readSafetensors(await readBytes(path), { file }).tensors;
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new Error(`${path}: ${reasonOf(error)}`);
  }
}

function checkManifest(file: string, manifest: unknown): Manifest {
  const { cases, stats } = (manifest ?? {}) as { cases?: unknown; stats?: unknown };
  if (!Array.isArray(cases)) throw new Error(`${file}: has no list 'cases'. Is it a manifest of reference values?`);
  if (cases.length === 0) throw new Error(`${file}: lists no cases. Is it a manifest of reference values?`);
  for (const [index, one] of cases.entries()) {
    const { id, kind, config, tensors } = (one ?? {}) as Record<string, unknown>;
    const complete = typeof id === 'string' && typeof kind === 'string' && isRecord(config) && isRecord(tensors);
    if (!complete) throw new Error(`${file}: case ${index} lacks id, kind, config or tensors`);
  }
  const ids = cases.map(({ id }: ManifestCase) => id);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) throw new Error(`${file}: two cases are named '${twice}'`);
  if (stats !== undefined && !isRecord(stats)) throw new Error(`${file}: 'stats' is not a table of tolerances`);
  return manifest as Manifest;
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'does not exist';
  if (code === 'ENOTDIR') return 'is not in a folder';
  if (code === 'EISDIR') return 'is a folder, not a file';
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read';
  return error instanceof Error ? error.message : String(error);
}
