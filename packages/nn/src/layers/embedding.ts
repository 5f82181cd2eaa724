import type { Tensor } from '@evenkeel/tensor';
import { Module } from '../module/module.ts';
import { Parameter } from '../module/parameter.ts';
import { type InitializationOptions, standardNormal } from './initialization.ts';
import { requireSizes } from './sizes.ts';

/**
 * A table of `count` vectors: integer indices of any shape `[...]` to `[..., features]`.
 * `weight` is `[count, features]`, first N(0, 1). An index outside of the table reads zeros.
 *
 * @throws when the indices are not whole numbers (int32 or uint32).
 *
 * @example
 * ```ts
 * const table = new Embedding(10, 64);
 * table.call(tensor([3, 1, 4], { dtype: 'int32' })); // [3, 64]
 * ```
 */
export class Embedding extends Module {
  readonly weight: Parameter;

  constructor(count: number, features: number, options: InitializationOptions = {}) {
    super();
    requireSizes('Embedding', { count, features });
    this.weight = new Parameter(standardNormal([count, features], options));
  }

  forward(indices: Tensor): Tensor {
    if (indices.dtype !== 'int32' && indices.dtype !== 'uint32') {
      throw new Error(`Embedding: wants integer indices, got ${indices.dtype}. Use .cast('int32')`);
    }
    return this.weight.value.gather(indices, 0);
  }
}
