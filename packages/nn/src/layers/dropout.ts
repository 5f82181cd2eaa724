import { type Generator, type Tensor, where } from '@evenkeel/tensor';
import { Module } from '../module/module.ts';
import { generatorOf } from './initialization.ts';
import { requireProbability } from './sizes.ts';

/** Where masks come from. */
export interface DropoutOptions {
  /** Source of the masks. @defaultValue that of `withGenerator`, or the one that layers share */
  readonly generator?: Generator;
}

/**
 * In training, zeroes each element with `probability` and divides the others by 1 - probability, so that the mean
 * stays; in evaluation the identity. Any shape, kept.
 *
 * @throws unless 0 <= probability < 1.
 *
 * @example
 * ```ts
 * const drop = new Dropout(0.5, { generator: new Generator(7) });
 * drop.call(ones([4])); // [4], of 0 and 2
 * drop.eval().call(ones([4])); // [1, 1, 1, 1]
 * ```
 */
export class Dropout extends Module {
  readonly probability: number;
  // Not a field that is walked or saved: training state keeps generators beside the state dict.
  readonly #generator: Generator | undefined;

  constructor(probability = 0.5, options: DropoutOptions = {}) {
    super();
    this.probability = requireProbability('Dropout', 'probability', probability);
    this.#generator = options.generator;
  }

  forward(x: Tensor): Tensor {
    if (!this.training || this.probability === 0) return x;
    return dropout(x, this.probability, generatorOf({ generator: this.#generator }));
  }
}

/**
 * `x` with elements zeroed with `probability` and the others divided by 1 - probability.
 *
 * @example
 * ```ts
 * const dropped = dropout(ones([1000]), 0.1, new Generator(7));
 * await dropped.max().item(); // 1.111111, what is kept makes up for what is not
 * ```
 */
export function dropout(x: Tensor, probability: number, generator: Generator): Tensor {
  const kept = generator.uniform(x.shape).less(1 - probability);
  return where(kept, x.div(1 - probability), 0);
}
