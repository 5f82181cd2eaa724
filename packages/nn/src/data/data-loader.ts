import type { Dataset } from './dataset.ts';
import { type IndexStream, requireCount, sequentialIndices, shuffledIndices } from './index-stream.ts';

/** Options of {@link DataLoader}. */
export interface DataLoaderOptions {
  /** Examples a batch of this process. */
  readonly batchSize: number;
  /** Whether each pass has a fresh order. @defaultValue true */
  readonly shuffle?: boolean;
  /** Fixes the orders. @defaultValue 0 */
  readonly seed?: number;
  /** Where in the stream to begin: what {@link DataLoader.position} was when training stopped. @defaultValue 0 */
  readonly position?: number;
  /** This process, of `worldSize`: it takes positions rank, rank + worldSize, ... @defaultValue 0 */
  readonly rank?: number;
  /** @defaultValue 1 */
  readonly worldSize?: number;
  /** Which example each position takes, in place of `shuffle` and `seed`. */
  readonly indices?: IndexStream;
}

/**
 * Batches without end. What it draws is a pure function of (seed, position): a loader made at the position where another
 * stopped goes on with exactly the batches that the other would have drawn, and processes never draw the same example
 * within a pass.
 *
 * @throws when the data set is empty or an option is out of range.
 *
 * @example
 * ```ts
 * const digits = arrayDataset({ images: { data: new Float32Array(1000 * 256), shape: [1000, 1, 16, 16] } });
 * const loader = new DataLoader(digits, { batchSize: 32, seed: 1 });
 * const { images } = await loader.next();
 * images; // [32, 1, 16, 16]
 * // Goes on where that one is, in another process too.
 * const resumed = new DataLoader(digits, { batchSize: 32, seed: 1, position: loader.position });
 * resumed.nextIndices().join() === loader.nextIndices().join(); // true
 * ```
 */
export class DataLoader<Batch> {
  readonly dataset: Dataset<Batch>;
  readonly batchSize: number;
  readonly rank: number;
  readonly worldSize: number;
  readonly #indices: IndexStream;
  #position: number;

  constructor(dataset: Dataset<Batch>, options: DataLoaderOptions) {
    if (dataset.length === 0) throw new Error('DataLoader: the data set is empty');
    this.dataset = dataset;
    this.batchSize = requireCount('DataLoader', 'batchSize', options.batchSize, 1);
    this.worldSize = requireCount('DataLoader', 'worldSize', options.worldSize ?? 1, 1);
    this.rank = requireCount('DataLoader', 'rank', options.rank ?? 0, 0);
    this.#position = requireCount('DataLoader', 'position', options.position ?? 0, 0);
    if (this.rank >= this.worldSize) {
      throw new Error(`DataLoader: rank must be below worldSize ${this.worldSize}, got ${this.rank}`);
    }
    const shuffled = () => shuffledIndices(dataset.length, { seed: options.seed ?? 0 });
    this.#indices = options.indices ?? ((options.shuffle ?? true) ? shuffled() : sequentialIndices(dataset.length));
  }

  /** Examples drawn so far by all processes together: where to resume. */
  get position(): number {
    return this.#position;
  }

  /** Indices of the examples that the next batch takes. */
  nextIndices(): number[] {
    return Array.from({ length: this.batchSize }, (_, example) =>
      this.#indices.at(this.#position + this.rank + example * this.worldSize),
    );
  }

  /** The next batch; the position moves on at once, so that calls may overlap. */
  async next(): Promise<Batch> {
    const indices = this.nextIndices();
    this.#position += this.batchSize * this.worldSize;
    return this.dataset.batch(indices);
  }

  /** Batches without end: leave the loop with `break`. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Batch, never, void> {
    while (true) yield await this.next();
  }
}
