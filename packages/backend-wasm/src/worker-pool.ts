import { SYNC_BYTES, syncWords } from './barrier.ts';
import { startWorker, type WorkerHandle } from './worker.ts';
import type { Answer, Order } from './worker-source.ts';

interface Current {
  readonly run: number;
  readonly sync: number;
  readonly waitingFor: Set<number>;
  error: string | undefined;
  resolve(): void;
  reject(error: Error): void;
}

/** Threads on one memory that run a function all together, one call after the other. */
export class WorkerPool {
  readonly threads: number;
  readonly #memory: WebAssembly.Memory;
  readonly #startWorker: typeof startWorker;
  readonly #workers: (WorkerHandle | undefined)[] = [];
  readonly #modules = new Map<number, WebAssembly.Module>();
  #starting: Promise<void> | undefined;
  #current: Current | undefined;
  #runs = 0;
  #disposed = false;

  constructor(threads: number, memory: WebAssembly.Memory, { start = startWorker } = {}) {
    this.threads = threads;
    this.#startWorker = start;
    this.#memory = memory;
  }

  add(id: number, module: WebAssembly.Module): void {
    this.#modules.set(id, module);
    this.#broadcast({ kind: 'module', id, module });
  }

  drop(id: number): void {
    this.#modules.delete(id);
    this.#broadcast({ kind: 'drop', id });
  }

  /**
   * Runs a module's `run` on all threads, each with its own parameters. Rejects with the first thread's error; then the
   * others have left too.
   */
  async run(id: number, sync: number, parametersOf: (thread: number) => readonly number[]): Promise<void> {
    // One may die while others start.
    do await this.#start();
    while (this.#workers.includes(undefined));
    new Int32Array(this.#memory.buffer, sync, SYNC_BYTES / 4).fill(0);
    const run = ++this.#runs;
    await new Promise<void>((resolve, reject) => {
      const waitingFor = new Set(this.#workers.keys());
      this.#current = { run, sync, waitingFor, error: undefined, resolve, reject };
      this.#workers.forEach((worker, thread) => {
        worker?.send({ kind: 'run', run, id, parameters: parametersOf(thread), sync });
      });
    });
  }

  /** Whether work is to come for which the process stays alive. */
  keepAlive(isNeeded: boolean): void {
    for (const worker of this.#workers) worker?.keepAlive(isNeeded);
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.#starting;
    await Promise.all(this.#workers.map((worker) => worker?.end()));
    this.#current?.reject(new Error('wasm backend: disposed while a plan was running'));
    this.#current = undefined;
  }

  /** Starts what threads are missing: all at first, later those that died. */
  async #start(): Promise<void> {
    this.#starting = (async () => {
      for (let thread = 0; thread < this.threads; thread++) {
        if (this.#workers[thread] || this.#disposed) continue;
        const worker = await this.#startWorker({
          answer: (answer) => this.#answered(thread, answer),
          died: (reason) => this.#died(thread, reason),
        });
        this.#workers[thread] = worker;
        worker.send({ kind: 'start', memory: this.#memory });
        for (const [id, module] of this.#modules) worker.send({ kind: 'module', id, module });
        worker.keepAlive(true);
      }
    })();
    await this.#starting;
    if (this.#disposed) throw new Error('wasm backend: used after dispose. Create another');
  }

  #broadcast(order: Order): void {
    for (const worker of this.#workers) worker?.send(order);
  }

  #answered(thread: number, { run, error, isFirst }: Answer): void {
    const current = this.#current;
    if (current?.run !== run) return;
    if (error !== undefined && (isFirst || current.error === undefined)) current.error = error;
    this.#left(current, thread);
  }

  #died(thread: number, reason: string): void {
    if (this.#disposed || !this.#workers[thread]) return;
    this.#workers[thread] = undefined;
    const current = this.#current;
    if (!current) return;
    current.error = `worker ${thread} of ${this.threads} died: ${reason}`;
    const words = new Int32Array(this.#memory.buffer, current.sync, SYNC_BYTES / 4);
    Atomics.store(words, syncWords.abort / 4, 1);
    Atomics.notify(words, syncWords.generation / 4);
    this.#left(current, thread);
  }

  #left(current: Current, thread: number): void {
    current.waitingFor.delete(thread);
    if (current.waitingFor.size > 0) return;
    this.#current = undefined;
    if (current.error === undefined) current.resolve();
    else current.reject(new Error(current.error));
  }
}
