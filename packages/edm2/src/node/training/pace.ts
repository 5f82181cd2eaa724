/** How fast training is, all it stops for included. */
export class Pace {
  readonly #start: number;
  readonly #duration: number;
  /** When the first step was over: it compiles. */
  #first: { readonly images: number; readonly ms: number } | undefined;
  #imagesPerSecond = Number.NaN;

  constructor(start: number, duration: number) {
    this.#start = start;
    this.#duration = duration;
  }

  after(images: number): { imagesPerSecond: number; secondsLeft: number } {
    const ms = performance.now();
    this.#first ??= { images, ms };
    if (images > this.#first.images)
      this.#imagesPerSecond = (1000 * (images - this.#first.images)) / (ms - this.#first.ms);
    return { imagesPerSecond: this.#imagesPerSecond, secondsLeft: this.secondsLeft(images) };
  }

  secondsLeft(images: number): number {
    return images === this.#start ? Number.NaN : (this.#duration - images) / this.#imagesPerSecond;
  }
}
