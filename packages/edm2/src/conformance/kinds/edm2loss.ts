import { project } from '@evenkeel/mp-nn';
import { Edm2Loss } from '../../loss.ts';
import { addGradients } from '../gradients.ts';
import { makeNetwork } from '../network-config.ts';
import type { CaseRunner, Computed } from '../reference-case.ts';

/** The loss with given normals: its elements, noise levels, weights after the forward pass, gradients of sum / batch. */
export const edm2loss: CaseRunner = async (reference) => {
  const net = makeNetwork(reference);
  net.loadStateDict(await reference.sibling(reference.string('params_from', reference.id)).parameters());
  if (net.training) project(net);
  const images = await reference.input('images');
  const loss = new Edm2Loss({
    pMean: reference.number('P_mean', -0.4),
    pStd: reference.number('P_std', 1),
    sigmaData: net.sigmaData,
  });
  const normals = { sigma: await reference.input('rnd_normal'), noise: await reference.input('noise_unit') };
  const terms = loss.terms(net, images, await reference.inputOrNull('labels'), normals);
  const results: Computed = new Map([
    ['out/loss', terms.loss],
    ['out/loss_mean', terms.loss.mean()],
    ['out/sigma', terms.sigma],
  ]);
  for (const [name, value] of net.stateDict()) results.set(`out/after.${name}`, value);
  addGradients(results, terms.loss.sum().div(images.shape[0] as number), net, {});
  return results;
};
