/** Milliseconds that a pace is measured over. */
const window = 4000;

/** Steps a second of late. */
export class Pace {
  #times: number[] = [];

  restart(): void {
    this.#times = [];
  }

  count(): void {
    const now = performance.now();
    this.#times.push(now);
    while (this.#times.length > 2 && now - (this.#times[0] as number) > window) this.#times.shift();
  }

  /** Undefined before the second step: the first one also compiles. */
  get perSecond(): number | undefined {
    const [first, last] = [this.#times[0], this.#times.at(-1)];
    if (first === undefined || last === undefined || last === first) return undefined;
    return (1000 * (this.#times.length - 1)) / (last - first);
  }
}

/** Something that is done now and then, so often that it takes no more than its share of the time. */
export class Regularly {
  readonly #work: () => Promise<void> | void;
  readonly #apart: number;
  readonly #share: number;
  #due = 0;
  #isFirst = true;

  /** `apart` is the least of milliseconds between two times, `share` a part of 1. */
  constructor(work: () => Promise<void> | void, { apart, share }: { apart: number; share: number }) {
    this.#work = work;
    this.#apart = apart;
    this.#share = share;
  }

  async ifDue(): Promise<void> {
    if (performance.now() >= this.#due) await this.now();
  }

  async now(): Promise<void> {
    const start = performance.now();
    await this.#work();
    const end = performance.now();
    // The first time also compiles, and says nothing of the next.
    const rest = this.#isFirst ? 0 : (end - start) * (1 / this.#share - 1);
    this.#isFirst = false;
    this.#due = end + Math.max(this.#apart, rest);
  }
}
