import { MPFourier } from '@evenkeel/mp-nn';
import { addGradients } from '../gradients.ts';
import type { CaseRunner, Computed } from '../reference-case.ts';

/** Fourier features of given frequencies and phases. */
export const mpFourier: CaseRunner = async (reference) => {
  const features = reference.own(new MPFourier(reference.number('num_channels')));
  features.loadStateDict(await reference.parameters());
  const x = await reference.input('x');
  const y = features.call(x);
  const results: Computed = new Map([['out/y', y]]);
  addGradients(results, y.mul(await reference.input('gy')).sum(), null, { x });
  return results;
};
