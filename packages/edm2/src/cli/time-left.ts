import { duration } from './progress-line.ts';

/** Time since it was made, and how long it will go on. */
export class TimeLeft {
  readonly #start = performance.now();

  get seconds(): number {
    return (performance.now() - this.#start) / 1000;
  }

  /** After this share of the work. */
  left(share: number): string {
    return duration((this.seconds * (1 - share)) / share);
  }
}
