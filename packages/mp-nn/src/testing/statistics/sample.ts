/**
 * Count, mean and variance of numbers as they come (Welford's update, exact for any offset).
 *
 * @example
 * ```ts
 * const sample = new Sample();
 * for (const value of [1, 2, 3]) sample.add(value);
 * sample.mean; // 2
 * sample.deviation; // 1
 * ```
 */
export class Sample {
  count = 0;
  mean = 0;
  private squares = 0;

  add(value: number): void {
    this.count++;
    const before = value - this.mean;
    this.mean += before / this.count;
    this.squares += before * (value - this.mean);
  }

  /** Standard deviation of one value (count - 1 in the denominator). */
  get deviation(): number {
    return this.count < 2 ? Number.NaN : Math.sqrt(this.squares / (this.count - 1));
  }
}
