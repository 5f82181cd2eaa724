import type { Node } from '../graph/node.ts';
import { isOp } from '../graph/node.ts';
import type { Backend, DeviceBuffer, Run } from '../kernel/backend.ts';
import { elementBytes } from '../kernel/element-bytes.ts';
import type { Program } from '../schedule/canonical.ts';
import type { HostArray } from '../types/dtype.ts';
import { addTransient, checkBudget } from './budget.ts';
import type { CallSite } from './call-site.ts';
import { cellOf } from './cell.ts';
import { type Deferred, deferred } from './deferred.ts';
import type { DeviceValues } from './device-values.ts';
import { noteScratch, type Planned, planFor } from './plan-cache.ts';
import { type ProfiledRun, profileSink } from './profile-sink.ts';
import { launches } from './queue.ts';
import type { RunRecord } from './run-record.ts';
import { hostValues, pinnedStorage } from './storage.ts';

/** What becomes of one output of a program: a host copy, or a buffer for an owner. */
export type Taker = 'host' | DeviceValues;

/** One run asked for: everything is known but the buffers, which earlier runs may still replace. */
export interface LaunchRequest {
  readonly backend: Backend;
  readonly program: Program;
  /** In the order of the program's outputs. */
  readonly takers: readonly Taker[];
  /** Owners of the updated cells, in the order of the program's updates. */
  readonly updated: readonly DeviceValues[];
  /** Leaves that stand for other leaves (a compiled function's inputs). */
  readonly bindings?: ReadonlyMap<Node, Node> | undefined;
  /** Values of the program's scalars, where they are not those in the graph. */
  readonly scalars?: Float64Array;
  /** Done in order with the run: owners that get host values. */
  readonly hostWrites?: readonly { readonly to: DeviceValues; readonly values: HostArray }[];
  readonly site?: CallSite | undefined;
}

/**
 * The owner of a leaf's device values, if it has one.
 *
 * @throws when it is a pinned result that was disposed.
 */
export function ownerOf(leaf: Node): DeviceValues | undefined {
  return isOp(leaf, 'cell') ? cellOf(leaf).values : pinnedStorage(leaf)?.values;
}

/** The part of a launch that touches the device; runs inside a job of the queue. */
export class Execution {
  readonly #request: LaunchRequest;
  readonly #leaves: readonly Node[];
  readonly #owners: readonly (DeviceValues | undefined)[];
  readonly #record: RunRecord;
  readonly #finished: Deferred<undefined>;
  readonly #host: readonly (Deferred<HostArray> | undefined)[];

  /**
   * @param parts.leaves the program's leaves, bound.
   * @param parts.owners who holds them; asked for early, because results may be disposed before the run.
   * @param parts.finished settled when the work is done.
   * @param parts.host for takers 'host', in the order of the outputs.
   */
  constructor(
    request: LaunchRequest,
    parts: {
      readonly leaves: readonly Node[];
      readonly owners: readonly (DeviceValues | undefined)[];
      readonly record: RunRecord;
      readonly finished: Deferred<undefined>;
      readonly host: readonly (Deferred<HostArray> | undefined)[];
    },
  ) {
    this.#request = request;
    this.#leaves = parts.leaves;
    this.#owners = parts.owners;
    this.#record = parts.record;
    this.#finished = parts.finished;
    this.#host = parts.host;
  }

  async run(): Promise<void> {
    const { backend, program, takers, updated } = this.#request;
    if (takers.length + updated.length === 0) {
      this.#writeHost();
      this.#finished.resolve(undefined);
      return;
    }
    const planned = await planFor(backend, program, this.#request.site);
    checkBudget(backend, planned.needs, this.#uploadBytes(planned));
    const temporary: DeviceBuffer[] = [];
    const inputs: DeviceBuffer[] = [];
    try {
      for (const index of planned.schedule.inputs) {
        // Waiting costs a turn: hundreds of cells are where they should be.
        const bound = this.#owners[index]?.onNow(backend) ?? (await this.#bind(index, temporary));
        inputs.push(bound);
      }
    } catch (error) {
      for (const buffer of temporary) buffer.free();
      throw error;
    }
    await launches.turn();
    const sink = profileSink();
    const call = { inputs, arguments: this.#arguments(planned), ...(sink?.eachStep ? { profile: true } : {}) };
    const run = backend.run(planned.executable, call);
    noteScratch(backend, planned.executable.scratchBytes);
    const done = run.done.catch((error: unknown) => {
      throw failure(backend, error);
    });
    done.then(() => this.#finished.resolve(undefined), this.#finished.reject);
    launches.add(this.#record);
    const uploaded = temporary.reduce((sum, buffer) => sum + bytesOf(backend, buffer), 0);
    addTransient(backend, uploaded);
    void this.#record.settled.then(() => {
      for (const buffer of temporary) buffer.free();
      addTransient(backend, -uploaded);
    });
    await run.submitted.catch((error: unknown) => {
      throw failure(backend, error);
    });
    await this.#adopt(run.outputs, inputs, done);
    this.#writeHost();
    if (sink === undefined) return;
    const measured = measuredRun(planned, run, done);
    sink.take(measured);
    if (sink.eachStep) await measured;
  }

  #writeHost(): void {
    for (const { to, values } of this.#request.hostWrites ?? []) launches.freeLater(to.takeHost(values));
  }

  /** Owners take their buffers; host copies are read when the run is done. A buffer has one owner. */
  async #adopt(outputs: readonly DeviceBuffer[], inputs: readonly DeviceBuffer[], done: Promise<void>): Promise<void> {
    const { backend, takers, updated } = this.#request;
    const taken = new Set<DeviceBuffer>(inputs);
    const copies: (() => Promise<void>)[] = [];
    const give = (owner: DeviceValues, buffer: DeviceBuffer) => {
      if (!taken.has(buffer) || owner.buffer === buffer) {
        taken.add(buffer);
        launches.freeLater(owner.adopt(buffer, backend));
        return;
      }
      copies.push(async () => {
        const copy = backend.allocate({ dtype: owner.dtype, length: owner.length });
        await copy.write(await buffer.read());
        launches.freeLater(owner.adopt(copy, backend));
      });
    };
    updated.forEach((owner, i) => {
      give(owner, outputs[takers.length + i] as DeviceBuffer);
    });
    takers.forEach((taker, i) => {
      if (taker !== 'host' && !taker.toHost) give(taker, outputs[i] as DeviceBuffer);
    });
    const readers = new Map<DeviceBuffer, Reader[]>();
    takers.forEach((taker, i) => {
      const buffer = outputs[i] as DeviceBuffer;
      const reader =
        taker === 'host' ? (this.#host[i] as Deferred<HostArray>) : taker.toHost ? hostReader(taker) : undefined;
      if (reader === undefined) return;
      const list = readers.get(buffer);
      if (list === undefined) readers.set(buffer, [reader]);
      else list.push(reader);
    });
    for (const [buffer, list] of readers) {
      // What an owner holds, the next run may overwrite: read it before the queue goes on.
      if (taken.has(buffer)) copies.push(() => hand(buffer, list));
      else void this.#readOnce(buffer, list);
    }
    if (copies.length === 0) return;
    await done;
    for (const copy of copies) await copy();
  }

  async #readOnce(buffer: DeviceBuffer, readers: readonly Reader[]): Promise<void> {
    const { backend } = this.#request;
    addTransient(backend, bytesOf(backend, buffer));
    await this.#record.settled;
    const { failure } = this.#record;
    if (failure === undefined) await hand(buffer, readers);
    else for (const reader of readers) reader.reject(failure);
    buffer.free();
    addTransient(backend, -bytesOf(backend, buffer));
  }

  async #bind(index: number, temporary: DeviceBuffer[]): Promise<DeviceBuffer> {
    const { backend } = this.#request;
    const owner = this.#owners[index];
    if (owner !== undefined) return owner.on(backend);
    const leaf = this.#leaves[index] as Node;
    const values = hostValues(leaf);
    if (values === undefined)
      throw new Error(
        'realize: an input of a compiled function is read outside of it. Return the tensor from the function instead',
      );
    const buffer = backend.allocate({ dtype: leaf.dtype, length: values.length });
    temporary.push(buffer);
    await buffer.write(values);
    return buffer;
  }

  #uploadBytes(planned: Planned): number {
    let bytes = 0;
    for (const index of planned.schedule.inputs) {
      const leaf = this.#leaves[index] as Node;
      const owner = this.#owners[index];
      if (owner?.backend === this.#request.backend) continue;
      bytes +=
        owner?.bytes ?? (hostValues(leaf)?.length ?? 0) * elementBytes(this.#request.backend.capabilities, leaf.dtype);
    }
    return bytes;
  }

  #arguments({ schedule }: Planned): Float64Array {
    const { program, scalars } = this.#request;
    const values = new Float64Array(schedule.arguments.length);
    for (let i = 0; i < values.length; i++) {
      const index = schedule.arguments[i] as number;
      values[i] = scalars === undefined ? constantOf(program.scalars[index] as Node) : (scalars[index] as number);
    }
    return values;
  }
}

function constantOf(scalar: Node): number {
  if (isOp(scalar, 'constant')) return scalar.attributes.value;
  throw new Error(
    'realize: an argument of a compiled function is read outside of it. Return the tensor from the function instead',
  );
}

type Reader = Pick<Deferred<HostArray>, 'resolve' | 'reject'>;

/** Hands a copy of a buffer's values to each reader. */
async function hand(buffer: DeviceBuffer, readers: readonly Reader[]): Promise<void> {
  try {
    const values = await buffer.read();
    readers.forEach((reader, i) => {
      reader.resolve(i === 0 ? values : (values.slice() as HostArray));
    });
  } catch (error) {
    for (const reader of readers) reader.reject(error);
  }
}

/** An owner that keeps its values on the host. */
function hostReader(owner: DeviceValues): Reader {
  const arrived = deferred<undefined>();
  owner.arrival = arrived.promise;
  return {
    resolve: (values) => {
      launches.freeLater(owner.takeHost(values));
      arrived.resolve(undefined);
    },
    reject: arrived.reject,
  };
}

function bytesOf({ capabilities }: Backend, { dtype, length }: DeviceBuffer): number {
  return length * elementBytes(capabilities, dtype);
}

function failure(backend: Backend, error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error);
  return new Error(`run failed on backend '${backend.name}': ${message}`, { cause: error });
}

async function measuredRun({ schedule }: Planned, run: Run, done: Promise<void>): Promise<ProfiledRun> {
  await done;
  return { plan: schedule.plan, stepTimes: (await run.stepTimes) ?? [], busy: await run.busy };
}
