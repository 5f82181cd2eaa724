import { project } from '@evenkeel/mp-nn';
import { withProbe } from '@evenkeel/nn';
import type { Tensor } from '@evenkeel/tensor';
import { addGradients } from '../gradients.ts';
import { loadNetwork } from '../network-config.ts';
import type { CaseRunner, Computed } from '../reference-case.ts';

/** The noise level of `D_scalar_sigma`. */
const scalarSigma = 0.7;

/** The whole denoiser: outputs, activations on the way, gradients of sum(D gD) + sum(logvar glogvar). */
export const precond: CaseRunner = async (reference) => {
  const net = await loadNetwork(reference);
  if (net.training) project(net);
  const [x, sigma, labels] = [
    await reference.input('x'),
    await reference.input('sigma'),
    await reference.inputOrNull('labels'),
  ];
  const results: Computed = new Map();
  const { denoised, logvar } = withProbe(
    {
      onForward({ path, inputs, output }) {
        const tap = tapName(path);
        if (tap !== undefined) results.set(`out/tap.${tap}`, output as Tensor);
        if (tap !== undefined && inputs.length === 2 && tap !== 'F') results.set('out/tap.emb', inputs[1] as Tensor);
      },
    },
    () => net.call(x, sigma, labels),
  );
  results.set('out/D', denoised).set('out/logvar', logvar);
  results.set('out/D_nolabel', net.denoise(x, sigma)).set('out/D_scalar_sigma', net.denoise(x, scalarSigma, labels));
  const [gD, gLogvar] = [await reference.input('gD'), await reference.input('glogvar')];
  const objective = denoised.mul(gD).sum().add(logvar.mul(gLogvar).sum());
  addGradients(results, objective, net, { x, sigma, ...(labels === null ? {} : { labels }) });
  return results;
};

/** `enc.8x8_block0` of `Precond.unet.enc.8x8_block0`, `F` of the U-Net itself. */
function tapName(path: string): string | undefined {
  if (path === 'Precond.unet') return 'F';
  return /^Precond\.unet\.((?:enc|dec)\.[^.]+)$/.exec(path)?.[1];
}
