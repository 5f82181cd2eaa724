import { commit, type Tensor } from '@evenkeel/tensor';
import type { Precond } from '../../network/precondition.ts';
import type { Churn, NormalSource } from '../../sample/churn.ts';
import { type Denoiser, guided } from '../../sample/guidance.ts';
import { sampleHeun } from '../../sample/heun.ts';
import { noiseLevels } from '../../sample/noise-levels.ts';
import { loadNetwork } from '../network-config.ts';
import type { CaseRunner, Computed, ReferenceCase } from '../reference-case.ts';

/** Images from given noise: the result, the noise levels, and every evaluation of the main network in order. */
export const sampler: CaseRunner = async (reference) => {
  const net = (await loadNetwork(reference.sibling(reference.string('net')))).eval();
  const guide = await loadGuide(reference);
  const labels = await reference.inputOrNull('labels');
  const levels = {
    steps: reference.number('num_steps', 32),
    sigmaMin: reference.number('sigma_min', 0.002),
    sigmaMax: reference.number('sigma_max', 80),
    rho: reference.number('rho', 7),
  };

  const sigmas: number[] = [];
  const evaluated: Tensor[] = [];
  const images: number[] = [];
  const main: Denoiser = (x, sigma) => {
    sigmas.push(sigma);
    evaluated.push(x);
    return net.denoise(x, sigma, labels);
  };
  const denoiser =
    guide === undefined
      ? main
      : guided(main, (x, sigma) => guide.denoise(x, sigma, labels), reference.number('guidance', 1));
  const noise = await reference.input('noise');
  const churn = await churnOf(reference);
  const x = await sampleHeun(denoiser, noise, {
    ...levels,
    ...(churn === undefined ? {} : { churn }),
    async onStep() {
      // Read before the step's commit overwrites what they are made of.
      const step = evaluated.splice(0);
      await commit(...step);
      for (const input of step) images.push(...(await input.data()));
    },
  });
  const times = noiseLevels({ ...levels, dtype: reference.dtype });
  const results: Computed = new Map();
  results.set('out/x', x).set('out/t_steps', { shape: [times.length], data: times });
  results.set('out/eval_sigma', { shape: [sigmas.length], data: sigmas });
  return results.set('out/eval_x', { shape: [sigmas.length, ...noise.shape], data: images });
};

async function loadGuide(reference: ReferenceCase): Promise<Precond | undefined> {
  const name = reference.string('gnet', '');
  if (name === '') return undefined;
  const guide = (await loadNetwork(reference.sibling(name))).eval();
  const scale = reference.number('gnet_out_gain_scale', 1);
  guide.unet.outGain.assign(guide.unet.outGain.value.mul(scale));
  return guide;
}

async function churnOf(reference: ReferenceCase): Promise<Churn | undefined> {
  const amount = reference.number('S_churn', 0);
  if (amount === 0) return undefined;
  const draws = (await reference.numbers('churn_noise')).shape[0] as number;
  return {
    amount,
    sigmaMin: reference.number('S_min', 0),
    sigmaMax: reference.number('S_max', Number.POSITIVE_INFINITY),
    noiseScale: reference.number('S_noise', 1),
    random: new GivenNormals(await reference.inputParts('churn_noise', [draws])),
  };
}

/** Normals that were drawn elsewhere, one after the other. */
class GivenNormals implements NormalSource {
  readonly #draws: readonly Tensor[];
  #next = 0;

  constructor(draws: readonly Tensor[]) {
    this.#draws = draws;
  }

  normal(): Tensor {
    const draw = this.#draws[this.#next++];
    if (draw === undefined) throw new Error(`in/churn_noise has ${this.#draws.length} draws, the sampler wants more`);
    return draw;
  }
}
