import { SYNC_BYTES, syncWords } from './barrier.ts';
import { startWorker, type WorkerHandle } from './worker.ts';
import type { Answer, MemoryOrder, Order } from './worker-source.ts';

/** A run that failed. */
export class RunError extends Error {
  /** The step that threads were at, where it is known. */
  readonly step: number | undefined;

  constructor(message: string, step?: number) {
    super(message);
    this.step = step;
  }
}

interface Current {
  readonly id: number;
  readonly sync: number;
  readonly waitingFor: Set<number>;
  error: RunError | undefined;
  /** Of the slowest thread so far, in milliseconds. */
  busy: number;
  resolve(busy: number): void;
  reject(error: Error): void;
}

interface Question {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

export interface PoolOptions {
  readonly threads: number;
  /** What all threads have, or how large the memory of the one thread shall be. */
  readonly memory: WebAssembly.Memory | { readonly initial: number; readonly maximum: number };
  /** For tests. */
  readonly start?: typeof startWorker;
}

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;

/** Threads that run a function all together, one call after the other. */
export class WorkerPool {
  readonly threads: number;
  readonly #memory: PoolOptions['memory'];
  readonly #startWorker: typeof startWorker;
  readonly #workers: (WorkerHandle | undefined)[] = [];
  readonly #modules = new Map<number, WebAssembly.Module>();
  /** Told before there was a worker. */
  readonly #early: Order[] = [];
  readonly #questions = new Map<number, Question>();
  #starting: Promise<void> | undefined;
  /** Runs that are under way, or given to follow, in order. */
  #runs: Current[] = [];
  #orders = 0;
  #isNeeded = false;
  /** Why there will be no more runs. */
  #end: string | undefined;

  constructor({ threads, memory, start = startWorker }: PoolOptions) {
    this.threads = threads;
    this.#memory = memory;
    this.#startWorker = start;
  }

  /** The words where threads meet, if this thread sees them. */
  #words(sync: number): Int32Array | undefined {
    const memory = this.#memory;
    return 'buffer' in memory ? new Int32Array(memory.buffer, sync, SYNC_BYTES / 4) : undefined;
  }

  add(module: number, code: WebAssembly.Module): void {
    this.#modules.set(module, code);
    for (const worker of this.#workers) worker?.send({ kind: 'module', module, code });
  }

  drop(module: number): void {
    this.#modules.delete(module);
    for (const worker of this.#workers) worker?.send({ kind: 'drop', module });
  }

  /** Gives an order to the one worker whose memory is its own, in its turn. */
  tell(order: Order): void {
    const [worker] = this.#workers;
    if (worker) worker.send(order);
    else this.#early.push(order);
  }

  /** Gives an order to that worker and waits for what it answers. */
  async ask(order: WithoutId<MemoryOrder>): Promise<Answer> {
    const id = ++this.#orders;
    this.#checkAlive();
    const answered = new Promise<Answer>((resolve, reject) => {
      this.#questions.set(id, { resolve, reject });
    });
    this.tell({ ...order, id });
    await this.start();
    return answered;
  }

  /**
   * Runs a module's `run` on all threads, each with its own parameters. Gives the milliseconds that the slowest thread was
   * in it. Rejects with the first thread's error; then the others have left too.
   */
  async run(module: number, sync: number, parametersOf: (thread: number) => readonly number[]): Promise<number> {
    await this.start();
    const id = ++this.#orders;
    return new Promise((resolve, reject) => {
      const waitingFor = new Set(this.#workers.keys());
      this.#runs.push({ id, sync, waitingFor, error: undefined, busy: 0, resolve, reject });
      this.#workers.forEach((worker, thread) => {
        worker?.send({ kind: 'run', id, module, parameters: parametersOf(thread), sync, threads: this.threads });
      });
    });
  }

  /** Whether work is to come for which the process stays alive. */
  keepAlive(isNeeded: boolean): void {
    this.#isNeeded = isNeeded;
    for (const worker of this.#workers) worker?.keepAlive(isNeeded);
  }

  async dispose(): Promise<void> {
    this.#end ??= 'used after dispose';
    await this.#starting?.catch(() => undefined);
    await Promise.all(this.#workers.map((worker) => worker?.end()));
    this.#fail('disposed while a plan was running');
  }

  /** Starts what threads are missing: all at first, later those that died. */
  async start(): Promise<void> {
    this.#checkAlive();
    // One may die while others start.
    while (this.#workers.length < this.threads || this.#workers.includes(undefined)) {
      this.#starting ??= this.#startMissing().finally(() => {
        this.#starting = undefined;
      });
      await this.#starting;
      this.#checkAlive();
    }
  }

  async #startMissing(): Promise<void> {
    for (let thread = 0; thread < this.threads; thread++) {
      if (this.#workers[thread] || this.#end !== undefined) continue;
      const worker = await this.#startWorker({
        answer: (answer) => this.#answered(thread, answer),
        died: (reason) => this.#died(thread, reason),
      });
      this.#workers[thread] = worker;
      worker.send({ kind: 'start', memory: this.#memory });
      for (const [module, code] of this.#modules) worker.send({ kind: 'module', module, code });
      for (const order of this.#early.splice(0)) worker.send(order);
      worker.keepAlive(this.#isNeeded);
    }
  }

  #checkAlive(): void {
    if (this.#end !== undefined) throw new Error(`wasm backend: ${this.#end}. Create another`);
  }

  #answered(thread: number, answer: Answer): void {
    const { id, error, isFirst, step } = answer;
    const question = this.#questions.get(id);
    if (question) {
      this.#questions.delete(id);
      if (error === undefined) question.resolve(answer);
      else question.reject(new Error(`wasm backend: ${error}`));
      return;
    }
    const current = this.#runs.find((run) => run.id === id);
    if (!current) return;
    current.busy = Math.max(current.busy, answer.busy ?? 0);
    if (error !== undefined && (isFirst || !current.error)) current.error = new RunError(error, step);
    this.#left(current, thread);
  }

  #died(thread: number, reason: string): void {
    if (this.#end !== undefined || !this.#workers[thread]) return;
    this.#workers[thread] = undefined;
    const message = `worker ${thread} of ${this.threads} died: ${reason}`;
    if (!this.#words(0)) {
      this.#end = `its worker died (${reason}), and with it the memory, which was its own`;
      this.#fail(message);
      return;
    }
    for (const run of [...this.#runs]) {
      const words = this.#words(run.sync) as Int32Array;
      run.error = new RunError(message, words[syncWords.step / 4]);
      Atomics.store(words, syncWords.abort / 4, 1);
      Atomics.add(words, syncWords.left / 4, 1);
      for (const word of [syncWords.generation, syncWords.left]) Atomics.notify(words, word / 4);
      this.#left(run, thread);
    }
  }

  #left(current: Current, thread: number): void {
    current.waitingFor.delete(thread);
    if (current.waitingFor.size > 0) return;
    this.#runs = this.#runs.filter((run) => run !== current);
    if (current.error === undefined) current.resolve(current.busy);
    else current.reject(current.error);
  }

  /** Whoever waits for a worker waits in vain. */
  #fail(reason: string): void {
    const error = new RunError(`wasm backend: ${reason}`);
    for (const run of this.#runs.splice(0)) run.reject(error);
    for (const question of this.#questions.values()) question.reject(error);
    this.#questions.clear();
  }
}
