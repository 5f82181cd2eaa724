import { Generator, stack, type Tensor } from '@evenkeel/tensor';

const seeds32 = 2 ** 32;

/**
 * Random numbers for a batch in which each image has a stream of its own, made from its seed modulo 2^32: an image does not
 * depend on what stands beside it.
 *
 * @example
 * ```ts
 * const both = new PerSeedRandom([7, 8]).normal([2, 3, 4, 4]);
 * const second = new PerSeedRandom([8]).normal([1, 3, 4, 4]);
 * both.slice([1, 2]).equal(second).all(); // true
 * ```
 */
export class PerSeedRandom {
  readonly #streams: readonly Generator[];

  constructor(seeds: readonly number[]) {
    this.#streams = seeds.map((seed) => new Generator(seed % seeds32));
  }

  /** Unit normals, `[seeds, ...]`. */
  normal(shape: readonly number[], { dtype = 'float32' }: { readonly dtype?: 'float32' | 'float64' } = {}): Tensor {
    const [count, ...rest] = shape;
    if (count !== this.#streams.length) {
      throw new Error(`PerSeedRandom: ${this.#streams.length} seeds for shape [${shape.join(', ')}]`);
    }
    return stack(this.#streams.map((stream) => stream.normal(rest, { dtype })));
  }

  /** A whole number from 0 to below `end` for each seed, `[seeds]`. */
  integers(end: number): Tensor<'int32'> {
    return stack(this.#streams.map((stream) => stream.integers(0, end, [])));
  }
}
