import type { ProgressLine } from './progress-line.ts';
import { TimeLeft } from './time-left.ts';

/** Progress over pictures and the sampler's steps. */
export class PicturePace {
  readonly #total: number;
  readonly #batch: number;
  readonly #line: ProgressLine;
  readonly #time = new TimeLeft();
  #done = 0;

  constructor(total: number, batch: number, line: ProgressLine) {
    this.#total = total;
    this.#batch = Math.min(batch, total);
    this.#line = line;
  }

  get seconds(): number {
    return this.#time.seconds;
  }

  finished(done: number): void {
    this.#done = done;
  }

  step(step: number, steps: number): void {
    const share = (this.#done + (Math.min(this.#batch, this.#total - this.#done) * step) / steps) / this.#total;
    this.#line.update(
      () => `${this.#done} of ${this.#total} pictures, step ${step} of ${steps}, ${this.#time.left(share)} left`,
    );
  }
}
