import type { Backend, Run } from '@evenkeel/tensor';

/** Looks on as a backend is given its runs. */
export class Launches {
  /** `performance.now()` of the latest launch. */
  at = Number.NaN;
  #last: Run | undefined;

  constructor(backend: Backend) {
    const run = backend.run.bind(backend);
    backend.run = (executable, call) => {
      this.at = performance.now();
      this.#last = run(executable, call);
      return this.#last;
    };
  }

  /** Waits until what was launched last is computed. */
  async done(): Promise<void> {
    await this.#last?.done;
  }
}
