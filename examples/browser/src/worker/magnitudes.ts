import { type ForwardEvent, type Module, withProbe } from '@evenkeel/nn';
import { stack, type Tensor } from '@evenkeel/tensor';
import type { Magnitudes } from '../protocol/train.ts';

/** Modules of a network by name. */
export type Layers = ReadonlyMap<string, Module>;

/** Those submodules whose path fits, under the last part of it. */
export function layersOf(net: Module, path: RegExp): Layers {
  return new Map(
    [...net.namedModules()]
      .filter(([name]) => path.test(name))
      .map(([name, module]) => [name.slice(name.lastIndexOf('.') + 1), module]),
  );
}

/**
 * Root mean squares of what the layers hold, weights with more than one axis, and of what they give in a forward pass; all
 * in one plan.
 */
export async function magnitudesOf(layers: Layers, forward: () => unknown): Promise<Magnitudes> {
  const outputs = new Map<Module, Tensor>();
  const onForward = ({ module, output }: ForwardEvent) => {
    outputs.set(module, output as Tensor);
  };
  withProbe({ onForward }, forward);
  const modules = [...layers.values()];
  const activations = modules.map((module) => rms([outputs.get(module) as Tensor]));
  const weights = modules.map((module) => {
    const values = [...module.namedParameters().values()].map((parameter) => parameter.value);
    return rms(values.filter(({ rank }) => rank > 1));
  });
  const values = [...(await stack([...activations, ...weights]).data())];
  return { activations: values.slice(0, modules.length), weights: values.slice(modules.length) };
}

function rms(tensors: readonly Tensor[]): Tensor {
  const size = tensors.reduce((sum, tensor) => sum + tensor.size, 0);
  const squares = tensors.map((tensor) => tensor.square().sum().div(size));
  return squares.reduce((sum, square) => sum.add(square)).sqrt();
}
