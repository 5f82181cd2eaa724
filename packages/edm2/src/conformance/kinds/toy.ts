import { project } from '@evenkeel/mp-nn';
import { fractalTree, type ToyClass, toyClasses } from '../../toy/fractal-tree.ts';
import { GaussianMixture } from '../../toy/gaussian-mixture.ts';
import { toyLoss } from '../../toy/toy-loss.ts';
import { ToyModel } from '../../toy/toy-model.ts';
import { addGradients } from '../gradients.ts';
import type { CaseRunner, Computed, ReferenceCase } from '../reference-case.ts';

/** A mixture's density and score at given points and noise levels; its components are given, or those of the classes. */
export const toyGt: CaseRunner = async (reference) => {
  const [x, sigma] = [await reference.input('x'), await reference.input('sigma')];
  const mixture = await mixtureOf(reference);
  const logDensity = mixture.logDensity(x, sigma);
  return new Map([
    ['out/pdf', logDensity.exp()],
    ['out/logp', logDensity],
    ['out/score', mixture.score(x, sigma)],
  ]);
};

/**
 * The network's log density, its score, the loss against the data's score, and gradients of the loss' mean. In training
 * each of the two forward passes, first for the score and then for the density, normalizes the weights anew.
 */
export const toyModel: CaseRunner = async (reference) => {
  const net = reference.own(
    new ToyModel({
      layers: reference.number('num_layers', 4),
      dim: reference.number('hidden_dim', 64),
      sigmaData: reference.number('sigma_data', 0.5),
      dtype: reference.dtype,
    }),
  );
  net.loadStateDict(await reference.parameters());
  const [x, sigma] = [await reference.input('x'), await reference.input('sigma')];
  const data = await mixtureOf(reference);
  const forward = <T>(pass: () => T): T => {
    if (reference.flag('training')) project(net);
    return pass();
  };
  const loss = forward(() => toyLoss(net, data, x, sigma));
  const results: Computed = new Map([
    ['out/loss', loss],
    ['out/score', net.score(x, sigma)],
  ]);
  addGradients(results, loss.mean(), net, {});
  results.set(
    'out/logp',
    forward(() => net.call(x, sigma)),
  );
  for (const [name, value] of net.stateDict()) results.set(`out/after.${name}`, value);
  return results;
};

async function mixtureOf(reference: ReferenceCase): Promise<GaussianMixture> {
  if (!reference.has('in', 'phi')) return fractalTree(classOf(reference));
  const [weights, means, covariances] = (await Promise.all(
    ['phi', 'mu', 'Sigma'].map(async (name) => (await reference.numbers(name)).data as Float64Array),
  )) as [Float64Array, Float64Array, Float64Array];
  return new GaussianMixture(
    Array.from(weights, (weight, i) => ({
      weight,
      mean: [means[2 * i]!, means[2 * i + 1]!],
      covariance: [covariances[4 * i]!, covariances[4 * i + 1]!, covariances[4 * i + 3]!],
    })),
  );
}

function classOf(reference: ReferenceCase): ToyClass {
  const name = reference.string('classes', 'A');
  const known = toyClasses.find((one) => one === name);
  if (known === undefined) throw new Error(`config.classes must be one of ${toyClasses.join(', ')}, got '${name}'`);
  return known;
}
