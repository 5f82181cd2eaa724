/**
 * A cell is read whose values a failed run was to write.
 *
 * @example
 * try {
 *   await tensor([1, 2]).data();
 * } catch (error) {
 *   if (error instanceof PoisonedCellError) console.error(`${error.path} has no values: ${error.failure.message}`);
 * }
 */
export class PoisonedCellError extends Error {
  override readonly name = 'PoisonedCellError';
  /** Path of the cell. */
  readonly path: string;
  /** What went wrong in the run. */
  readonly failure: Error;

  constructor(path: string, failure: Error) {
    super(
      `${path}: holds no valid values, the run that was to write them failed (${failure.message}). Write it again (load a state dict) before reading it`,
      { cause: failure },
    );
    this.path = path;
    this.failure = failure;
  }
}
