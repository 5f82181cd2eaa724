import { join } from 'node:path';
import type { HostArray } from '@evenkeel/formats';
import { type Tensor, tensor } from '@evenkeel/tensor';
import type { ManifestCase, ReferenceFolder, Role } from './folder.ts';

/** What cases are computed in. */
export type CaseDType = 'float32' | 'float64';

/** What a case came to, by `role/name`: tensors to be read, or numbers. */
export type Computed = Map<string, Tensor | HostNumbers>;

/** Numbers on the host, row-major. */
export interface HostNumbers {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** Computes the results of one case. */
export type CaseRunner = (reference: ReferenceCase) => Promise<Computed> | Computed;

/** One case of a folder of reference values, as a runner sees it. */
export class ReferenceCase {
  readonly dtype: CaseDType;
  readonly #folder: ReferenceFolder;
  readonly #case: ManifestCase;
  readonly #owned: Disposable[];

  constructor(folder: ReferenceFolder, one: ManifestCase, dtype: CaseDType, owned: Disposable[] = []) {
    this.#folder = folder;
    this.#case = one;
    this.dtype = dtype;
    this.#owned = owned;
  }

  /** Keeps what results are still to be computed from until they are read. */
  own<T extends Disposable>(part: T): T {
    this.#owned.push(part);
    return part;
  }

  dispose(): void {
    for (const part of this.#owned.splice(0)) part[Symbol.dispose]();
  }

  get id(): string {
    return this.#case.id;
  }

  /** Another case of the folder, such as one whose weights this one uses. */
  sibling(id: string): ReferenceCase {
    return new ReferenceCase(this.#folder, this.#folder.find(id), this.dtype, this.#owned);
  }

  names(role: Role): readonly string[] {
    return this.#case.tensors[role] ?? [];
  }

  has(role: Role, name: string): boolean {
    return this.names(role).includes(name);
  }

  numbers(name: string, role: Role = 'in'): Promise<HostArray> {
    return this.#folder.tensor(this.#case, role, name);
  }

  /** Content of the file that the config names under `key`. */
  bytes(key = 'file'): Promise<Uint8Array> {
    return this.#folder.bytes(this.string(key));
  }

  /** Where the file is that the config names under `key`. */
  path(key = 'file'): string {
    return join(this.#folder.path, this.string(key));
  }

  /** An input in the dtype of this run. */
  async input(name: string, role: Role = 'in'): Promise<Tensor> {
    const { data, shape } = await this.numbers(name, role);
    return tensor(data as Float32Array, { shape, dtype: this.dtype });
  }

  /** The parts of an input along its first axes, `counts` of them, each a tensor of its own: equal plans read them. */
  async inputParts(name: string, counts: readonly number[]): Promise<Tensor[]> {
    const { data, shape } = await this.numbers(name);
    const total = counts.reduce((product, count) => product * count, 1);
    const rest = shape.slice(counts.length);
    const size = rest.reduce((product, axis) => product * axis, 1);
    if (data.length !== total * size) throw new Error(`in/${name} has shape [${shape}], needs [${counts}, ...]`);
    return Array.from({ length: total }, (_, part) =>
      tensor((data as Float32Array).subarray(part * size, (part + 1) * size), { shape: rest, dtype: this.dtype }),
    );
  }

  async inputOrNull(name: string): Promise<Tensor | null> {
    return this.has('in', name) ? this.input(name) : null;
  }

  /** All of `param/`, as `loadStateDict` takes it. */
  async parameters(): Promise<Map<string, Tensor>> {
    const dict = new Map<string, Tensor>();
    for (const name of this.names('param')) dict.set(name, await this.input(name, 'param'));
    return dict;
  }

  get config(): Readonly<Record<string, unknown>> {
    return this.#case.config;
  }

  number(key: string, fallback?: number): number {
    return this.#entry(key, 'a number', (value) => typeof value === 'number', fallback);
  }

  string(key: string, fallback?: string): string {
    return this.#entry(key, 'a string', (value) => typeof value === 'string', fallback);
  }

  flag(key: string, fallback = false): boolean {
    return this.#entry(key, 'true or false', (value) => typeof value === 'boolean', fallback);
  }

  list(key: string, fallback?: readonly number[]): readonly number[] {
    const isList = (value: unknown) => Array.isArray(value) && value.every((item) => typeof item === 'number');
    return this.#entry(key, 'a list of numbers', isList, fallback);
  }

  #entry<T>(key: string, wanted: string, fits: (value: unknown) => boolean, fallback?: T): T {
    const value = this.#case.config[key] ?? fallback;
    if (value === undefined || !fits(value)) {
      throw new Error(`config.${key} must be ${wanted}, got ${JSON.stringify(value)}`);
    }
    return value as T;
  }
}
