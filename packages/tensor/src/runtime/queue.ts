import type { DeviceBuffer } from '../kernel/backend.ts';
import type { RunRecord } from './run-record.ts';

/** Runs handed over and not yet done: one works while the next is prepared. */
const usualInFlight = 2;
/** Bytes that the results of more runs than that may take together. */
const smallBytes = 2 ** 25;

interface RunInFlight {
  readonly record: RunRecord;
  readonly bytes: number;
}

/** Jobs in the order in which user code asked for them; what touches device buffers happens inside one. */
class LaunchQueue {
  #tail: Promise<unknown> = Promise.resolve();
  #inFlight: RunInFlight[] = [];

  /** Runs `job` after all jobs before it. */
  enqueue<T>(job: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(job);
    this.#tail = result.catch(() => undefined);
    return result;
  }

  /** Waits, inside a job, until a run may be started whose results take `bytes`, on a backend that takes `most` small ones. */
  async turn(bytes: number, most = usualInFlight): Promise<void> {
    const isFull = (): boolean => {
      const { length } = this.#inFlight;
      if (length < usualInFlight) return false;
      return length >= most || this.#inFlight.reduce((sum, run) => sum + run.bytes, bytes) > smallBytes;
    };
    while (isFull()) await (this.#inFlight[0] as RunInFlight).record.settled;
  }

  /** Counts a run until it is over. */
  add(record: RunRecord, bytes: number): void {
    const run = { record, bytes };
    this.#inFlight.push(run);
    void record.settled.then(() => {
      this.#inFlight = this.#inFlight.filter((other) => other !== run);
    });
  }

  /** Frees `buffer`, inside a job, when no run under way can touch it. */
  freeLater(buffer: DeviceBuffer | undefined): void {
    if (buffer === undefined) return;
    if (this.#inFlight.length === 0) buffer.free();
    else void this.drain().then(() => buffer.free());
  }

  /** Waits, inside a job, until what is under way now is over. */
  async drain(): Promise<void> {
    await Promise.all(this.#inFlight.map(({ record }) => record.settled));
  }

  /** Waits until everything asked for so far is over. */
  async idle(): Promise<void> {
    await this.#tail;
    await this.drain();
  }
}

/** One order for all backends: cells move between them. */
export const launches = new LaunchQueue();
