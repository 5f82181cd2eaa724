import { filled } from '../tensor/apply.ts';
import { Tensor } from '../tensor/tensor.ts';
import { isFloat } from '../types/dtype.ts';
import { vjp } from './vjp.ts';

/** Tensors that gradients are taken of: one, a list, or a record. */
export type TensorTree = Tensor | readonly Tensor[] | Readonly<Record<string, Tensor>>;

/** Gradients in the form of what they belong to. */
export type GradientsOf<T extends TensorTree> = T extends Tensor ? T : { -readonly [K in keyof T]: T[K] };

/**
 * Gradients of a scalar with respect to tensors, as new steps of the graph: they compute with whatever reads them, and
 * have gradients of their own. A parameter's current value is a leaf; what the loss does not depend on gets zeros.
 *
 * @throws when `loss` is not a scalar of real numbers.
 * @example
 * const x = tensor([1, 2, 3]);
 * const slope = grad(x.square().sum(), x); // [2, 4, 6]
 * const second = grad(slope.sum(), x); // [2, 2, 2]
 * const { w, b } = grad(x.mul(4).add(5).sum(), { w: x, b: tensor(5) });
 */
export function grad<T extends TensorTree>(loss: Tensor, wrt: T): GradientsOf<T> {
  if (loss.rank !== 0 || !isFloat(loss.dtype)) {
    throw new Error(`grad: the loss must be a scalar of real numbers, got ${loss}. Reduce it, for example by .mean()`);
  }
  const seed = filled([], 1, loss.dtype);
  if (wrt instanceof Tensor) return vjp([loss], [seed], [wrt])[0] as GradientsOf<T>;
  const names = Object.keys(wrt);
  const tensors = Object.values(wrt) as Tensor[];
  const odd = tensors.findIndex((tensor) => !(tensor instanceof Tensor));
  if (odd >= 0) throw new Error(`grad: '${names[odd]}' is not a tensor. Give a parameter's .value`);
  const gradients = vjp([loss], [seed], tensors);
  if (Array.isArray(wrt)) return gradients as GradientsOf<T>;
  return Object.fromEntries(names.map((name, i) => [name, gradients[i]])) as GradientsOf<T>;
}
