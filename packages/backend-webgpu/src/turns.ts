/** Work in the order in which it is given: at once, unless something before it is still being handed over. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();
  #pending = 0;

  take<T>(work: () => T | Promise<T>): T | Promise<T> {
    if (this.#pending > 0) return this.#pend(this.#last.then(work));
    const result = work();
    return result instanceof Promise ? this.#pend(result) : result;
  }

  /** Settled when all that was given so far is handed over. */
  async over(): Promise<void> {
    await this.#last;
  }

  #pend<T>(result: Promise<T>): Promise<T> {
    this.#pending++;
    const over = (): void => {
      this.#pending--;
    };
    this.#last = result.then(over, over);
    return result;
  }
}
