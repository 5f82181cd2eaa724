import type { Backend, DeviceBuffer } from '../kernel/backend.ts';
import { elementBytes } from '../kernel/element-bytes.ts';
import type { DType, HostArray } from '../types/dtype.ts';
import { launches } from './queue.ts';
import type { RunRecord } from './run-record.ts';

/** Something that owns device memory, as `memory()` lists it. */
export type OwnerKind = 'cells' | 'pinned' | 'preludes';

/** Every owner that holds values now. */
export const owners = new Set<DeviceValues>();

/**
 * The values of one owner: on the host, on one device, or nowhere yet. All methods that touch the device are called
 * inside jobs of the launch queue, so that nothing overtakes.
 */
export class DeviceValues {
  readonly kind: OwnerKind;
  readonly dtype: DType;
  readonly length: number;
  /** Name in `memory()` and in messages. */
  path: string;
  #buffer: DeviceBuffer | undefined;
  #backend: Backend | undefined;
  #host: HostArray | undefined;
  #retired = false;
  /** The latest run asked for that writes the values; whoever reads them later depends on it. */
  writer: RunRecord | undefined;

  /** While values are on their way to the host. */
  arrival: Promise<void> | undefined;
  /** Whether results go to the host as soon as they are computed. */
  toHost = false;

  constructor(kind: OwnerKind, path: string, dtype: DType, length: number) {
    this.kind = kind;
    this.path = path;
    this.dtype = dtype;
    this.length = length;
  }

  get bytes(): number {
    return this.length * elementBytes(this.backend?.capabilities ?? {}, this.dtype);
  }

  /** The backend that holds the values; undefined while they are on the host or nowhere. */
  get backend(): Backend | undefined {
    return this.#buffer === undefined ? undefined : this.#backend;
  }

  get isHost(): boolean {
    return this.#host !== undefined;
  }

  get isEmpty(): boolean {
    return this.#host === undefined && this.#buffer === undefined;
  }

  get buffer(): DeviceBuffer | undefined {
    return this.#buffer;
  }

  /** Takes host values; they are uploaded when first used. Hands back the buffer that they replace. */
  takeHost(values: HostArray): DeviceBuffer | undefined {
    const old = this.#buffer;
    this.#buffer = undefined;
    this.#backend = undefined;
    this.#host = values;
    this.#list();
    return old;
  }

  /** Takes over a buffer. Hands back the one that it replaces, if another. */
  adopt(buffer: DeviceBuffer, backend: Backend): DeviceBuffer | undefined {
    const old = this.#buffer;
    this.#host = undefined;
    this.#buffer = buffer;
    this.#backend = backend;
    this.#list();
    return old === buffer ? undefined : old;
  }

  /** The values' buffer, where `backend` has them already. */
  onNow(backend: Backend): DeviceBuffer | undefined {
    return this.arrival === undefined && this.#backend === backend ? this.#buffer : undefined;
  }

  /** The values as a buffer of `backend`: uploads, or moves them from another backend. */
  async on(backend: Backend): Promise<DeviceBuffer> {
    await this.arrival;
    if (this.#buffer !== undefined && this.#backend === backend) return this.#buffer;
    if (this.#buffer !== undefined) await launches.drain();
    const values = await this.read();
    const buffer = backend.allocate({ dtype: this.dtype, length: this.length });
    await buffer.write(values);
    this.adopt(buffer, backend)?.free();
    return buffer;
  }

  /** A host copy of the values, when the run that writes them is done. */
  async read(): Promise<HostArray> {
    await this.arrival;
    if (this.#host !== undefined) return this.#host.slice() as HostArray;
    if (this.#buffer === undefined) throw new Error(`${this.path}: has no values on any device`);
    return this.#buffer.read();
  }

  /** Gives up the values: at once for `memory()`, on the device when all that was asked for before is done. */
  retire(): void {
    if (this.#retired) return;
    this.#retired = true;
    owners.delete(this);
    void launches.enqueue(async () => {
      launches.freeLater(this.#buffer);
      this.#buffer = undefined;
      this.#host = undefined;
    });
  }

  /** Results on the host are the collector's business. */
  #list(): void {
    if (!this.#retired && (this.kind === 'cells' || this.#buffer !== undefined)) owners.add(this);
    else owners.delete(this);
  }
}

/** Bytes that owners hold on `backend`, by kind. */
export function heldOn(backend: Backend): Record<OwnerKind, number> {
  const held: Record<OwnerKind, number> = { cells: 0, pinned: 0, preludes: 0 };
  for (const owner of owners) if (owner.backend === backend) held[owner.kind] += owner.bytes;
  return held;
}
