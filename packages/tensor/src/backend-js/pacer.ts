/** Decides when work on the main thread lets others have a turn: after every `budget` milliseconds of it. */
export class Pacer {
  readonly #now: () => number;
  readonly #pause: () => Promise<void>;
  readonly #budget: number;
  #spent = 0;
  #since = 0;

  constructor(options: { now?: () => number; pause?: () => Promise<void>; budget?: number } = {}) {
    this.#now = options.now ?? (() => performance.now());
    this.#pause = options.pause ?? nextTurn;
    this.#budget = options.budget ?? 8;
  }

  /** Work begins. */
  start(): void {
    this.#since = this.#now();
  }

  /** Work since `start` or the last `lap`, in milliseconds. */
  lap(): number {
    const now = this.#now();
    const elapsed = now - this.#since;
    this.#since = now;
    this.#spent += elapsed;
    return elapsed;
  }

  /** Whether a turn for others is due. Short runs add up: many of them in a row pause too. */
  get isDue(): boolean {
    return this.#spent >= this.#budget;
  }

  async pause(): Promise<void> {
    await this.#pause();
    this.#spent = 0;
    this.#since = this.#now();
  }
}

/** A turn of the event loop: input, timers and signals are served before it resolves. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') {
      setImmediate(resolve);
    } else if (typeof MessageChannel === 'function') {
      // setTimeout waits at least 4 ms in browsers.
      const { port1, port2 } = new MessageChannel();
      port1.addEventListener('message', () => {
        port1.close();
        resolve();
      });
      port1.start();
      port2.postMessage(undefined);
    } else {
      setTimeout(resolve, 0);
    }
  });
}
