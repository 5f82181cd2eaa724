import { apply } from '../tensor/apply.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { DType } from '../types/dtype.ts';
import { sameShape, showShape } from '../types/shape.ts';
import type { CustomRule } from './rules.ts';

/** What a rule of the user's gets beside the gradient. */
export interface CustomContext<I extends readonly Tensor[]> {
  readonly inputs: I;
  readonly output: Tensor;
}

/**
 * A function with a gradient rule of its own: `backward` gets the output's gradient and gives one gradient for each
 * input, undefined for those that have none. Differentiating twice differentiates `backward`.
 *
 * @throws when there are more or fewer gradients than inputs, or one has another shape or dtype than its input.
 * @example
 * // The forward pass rounds, the backward pass does not notice.
 * const x = tensor([0.4, 1.7]);
 * const rounded = customVjp([x], (x) => x.round(), (gradient) => [gradient]); // [0, 2]
 * const slope = grad(rounded.sum(), x); // [1, 1]
 */
export function customVjp<const I extends readonly Tensor[], D extends DType>(
  inputs: I,
  forward: (...inputs: I) => Tensor<D>,
  backward: (gradient: Tensor, context: CustomContext<I>) => readonly (Tensor | undefined)[],
  { name = 'customVjp' }: { readonly name?: string } = {},
): Tensor<D> {
  const rule: CustomRule = ({ gradient, sources, result }) => {
    const own = sources.slice(1);
    const gradients = backward(gradient, { inputs: own as unknown as I, output: result });
    if (gradients.length !== own.length) {
      throw new Error(
        `${name}: backward gave ${gradients.length} gradients for ${own.length} inputs. Give undefined where none flows`,
      );
    }
    own.forEach((input, i) => {
      const given = gradients[i];
      if (given === undefined || (sameShape(given.shape, input.shape) && given.dtype === input.dtype)) return;
      throw new Error(
        `${name}: the gradient of input ${i} is ${given.dtype} ${showShape(given.shape)}, the input is ${input.dtype} ${showShape(input.shape)}`,
      );
    });
    return gradients;
  };
  return apply('custom', [forward(...inputs), ...inputs], { name, rule });
}
