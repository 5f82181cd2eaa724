import { ones, type Shape, type Tensor, zeros } from '@evenkeel/tensor';
import { Module } from '../module/module.ts';
import { Parameter } from '../module/parameter.ts';
import { type NormOptions, standardize } from './group-norm.ts';

/**
 * Normalizes the last axes, of sizes `shape`, to mean 0 and variance 1, then scales and shifts each element
 * (Ba, Kiros and Hinton 2016): `[..., ...shape]` to the same shape.
 *
 * @throws when the last axes of x are not `shape`.
 *
 * @example
 * ```ts
 * new LayerNorm(64).call(zeros([2, 10, 64])); // [2, 10, 64]
 * ```
 */
export class LayerNorm extends Module {
  readonly shape: Shape;
  readonly epsilon: number;
  readonly weight: Parameter | undefined;
  readonly bias: Parameter | undefined;

  constructor(shape: number | Shape, options: NormOptions = {}) {
    super();
    this.shape = typeof shape === 'number' ? [shape] : [...shape];
    this.epsilon = options.epsilon ?? 1e-5;
    if (options.affine ?? true) {
      const dtype = options.dtype ?? 'float32';
      this.weight = new Parameter(ones(this.shape, { dtype }));
      this.bias = new Parameter(zeros(this.shape, { dtype }));
    }
  }

  forward(x: Tensor): Tensor {
    const first = x.shape.length - this.shape.length;
    if (this.shape.some((size, axis) => x.shape[first + axis] !== size)) {
      throw new Error(`LayerNorm: wants [..., ${this.shape.join(', ')}], got x of shape [${x.shape.join(', ')}]`);
    }
    const y = standardize(
      x,
      this.shape.map((_, axis) => axis - this.shape.length),
      this.epsilon,
    );
    return this.weight === undefined || this.bias === undefined ? y : y.mul(this.weight.value).add(this.bias.value);
  }
}
