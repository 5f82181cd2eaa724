import type { DeviceBuffer } from '../kernel/backend.ts';
import type { RunRecord } from './run-record.ts';

/** Most runs handed over and not yet done: one works while the next is prepared. */
const maxInFlight = 2;

/** Jobs in the order in which user code asked for them; what touches device buffers happens inside one. */
class LaunchQueue {
  #tail: Promise<unknown> = Promise.resolve();
  #inFlight: RunRecord[] = [];

  /** Runs `job` after all jobs before it. */
  enqueue<T>(job: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(job);
    this.#tail = result.catch(() => undefined);
    return result;
  }

  /** Waits, inside a job, until a run may be started. */
  async turn(): Promise<void> {
    while (this.#inFlight.length >= maxInFlight) await (this.#inFlight[0] as RunRecord).settled;
  }

  /** Counts a run until it is over. */
  add(run: RunRecord): void {
    this.#inFlight.push(run);
    void run.settled.then(() => {
      this.#inFlight = this.#inFlight.filter((other) => other !== run);
    });
  }

  /** Frees `buffer`, inside a job, when no run under way can touch it. */
  freeLater(buffer: DeviceBuffer | undefined): void {
    if (buffer === undefined) return;
    if (this.#inFlight.length === 0) buffer.free();
    else void Promise.all(this.#inFlight.map((run) => run.settled)).then(() => buffer.free());
  }

  /** Waits, inside a job, until no run is under way. */
  async drain(): Promise<void> {
    await Promise.all(this.#inFlight.map((run) => run.settled));
  }

  /** Waits until everything asked for so far is over. */
  async idle(): Promise<void> {
    await this.#tail;
    await this.drain();
  }
}

/** One order for all backends: cells move between them. */
export const launches = new LaunchQueue();
