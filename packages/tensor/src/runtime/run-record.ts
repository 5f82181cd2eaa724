/** What became of one run: whoever reads a buffer that it wrote asks here first. */
export class RunRecord {
  /** Why the values that the run wrote are not to be trusted. */
  failure: Error | undefined;
  /** Fulfils when the run is over, failed or not. */
  readonly settled: Promise<void>;

  /** A run fails when its work fails, or when a run whose results it read did. */
  constructor(done: Promise<void>, reads: readonly RunRecord[] = []) {
    this.settled = done
      .then(() => Promise.all(reads.map((run) => run.settled)))
      .then(
        () => {
          this.failure = reads.find((run) => run.failure !== undefined)?.failure;
        },
        (error: unknown) => {
          this.failure = error instanceof Error ? error : new Error(String(error));
        },
      );
  }

  /** A run that failed before it started. */
  static failed(error: Error): RunRecord {
    const record = new RunRecord(Promise.reject(error));
    record.failure = error;
    return record;
  }

  /** Waits for the end; throws what went wrong. */
  async success(): Promise<void> {
    await this.settled;
    if (this.failure !== undefined) throw this.failure;
  }
}
