import type { HostArray } from '@evenkeel/formats';
import { normalize } from '@evenkeel/mp-nn';
import type { Tensor } from '@evenkeel/tensor';
import { solvePostHoc } from '../../ema/post-hoc.ts';
import { type EmaProfile, emaBeta } from '../../ema/profile.ts';
import { reconstruct, type StoredEma } from '../../ema/reconstruct.ts';
import { readStateDict } from '../../ema/tracker.ts';
import type { Batch } from '../../train/batch.ts';
import { Trainer } from '../../train/trainer.ts';
import { loadNetwork } from '../network-config.ts';
import type { CaseRunner, Computed, HostNumbers, ReferenceCase } from '../reference-case.ts';

/** A short training run on given images and normals, with its averages and what is reconstructed from them. */
export const train: CaseRunner = async (reference) => {
  const net = (await loadNetwork(reference)).train();
  const [steps, batchSize] = [reference.number('steps'), reference.number('batch_size')];
  const accumulationRounds = reference.number('accumulation_rounds', 1);
  const stds = reference.list('ema_stds', []);
  const direct = reference.list('direct_stds', []);
  const options = {
    batchSize,
    accumulationRounds,
    loss: { pMean: reference.number('P_mean', -0.4), pStd: reference.number('P_std', 1) },
    learningRate: rateOf(reference),
    adam: adamOf(reference),
    emaStds: [...new Set([...stds, ...direct])],
    gradientNorm: true,
  };
  const given = net.stateDict(); // the trainer normalizes first values at once
  const trainer = reference.own(new Trainer(net, await givenBatches(reference, steps, accumulationRounds), options));

  const log = { loss_mean: [] as number[], lr: [] as number[], grad_norm: [] as number[], ema_beta: [] as number[] };
  const snapshots: StoredEma[] = [];
  const results: Computed = new Map();
  for (let step = 0; step < steps; step++) {
    await addProjected(reference, results, step, accumulationRounds, step === 0 ? given : net.stateDict());
    const { images, learningRate, loss, gradientNorm } = await trainer.step();
    log.loss_mean.push(await loss.item());
    log.lr.push(learningRate);
    log.grad_norm.push(await (gradientNorm as Tensor).item());
    for (const std of stds) log.ema_beta.push(emaBeta({ std, images, batch: batchSize }));
    if ((step + 1) % reference.number('snapshot_every_steps', steps + 1) !== 0) continue;
    for (const std of stds) {
      const values = await trainer.ema.snapshot(std);
      snapshots.push({ images, std, load: () => values });
      addAll(results, `nimg${images}.ema-${std.toFixed(3)}`, values);
    }
  }
  addAll(results, 'final', await readStateDict(net.stateDict()));
  for (const [name, values] of Object.entries(log)) {
    const shape = name === 'ema_beta' ? [steps, stds.length] : [steps];
    results.set(`out/${name}`, { shape, data: values });
  }
  for (const std of direct) addAll(results, `direct_ema-${std.toFixed(3)}`, await trainer.ema.snapshot(std));
  const targets = direct.map((std) => ({ images: trainer.images, std }));
  const copied = [...net.namedBuffers().keys()];
  if (snapshots.length > 0) await addPostHoc(results, snapshots, targets, copied);
  return results;
};

async function addPostHoc(
  results: Computed,
  snapshots: readonly StoredEma[],
  targets: readonly EmaProfile[],
  copied: readonly string[],
): Promise<void> {
  const { rows, columns, data } = solvePostHoc(snapshots, targets);
  results.set('out/posthoc_weights', { shape: [rows, columns], data });
  const reconstructed = await reconstruct(snapshots, targets, { copied });
  for (const [i, values] of reconstructed.entries()) addAll(results, `posthoc-${targets[i]!.std.toFixed(3)}`, values);
}

/** What forced normalization makes of the weights that a step starts from, where the case lists it. */
async function addProjected(
  reference: ReferenceCase,
  results: Computed,
  step: number,
  rounds: number,
  values: ReadonlyMap<string, Tensor>,
): Promise<void> {
  const prefix = `step${step}.after_forward.`;
  const listed = reference.names('out').filter((name) => name.startsWith(prefix));
  const projected = new Map<string, Tensor>();
  for (const name of listed) {
    let value = values.get(name.slice(prefix.length));
    if (value === undefined) throw new Error(`the network has no '${name.slice(prefix.length)}'`);
    for (let round = 0; round < rounds; round++) value = normalize(value);
    projected.set(name, value);
  }
  for (const [name, { shape, data }] of await readStateDict(projected)) {
    results.set(`out/${name}`, { shape, data } as HostNumbers);
  }
}

async function givenBatches(
  reference: ReferenceCase,
  steps: number,
  rounds: number,
): Promise<{ next(): Promise<Batch> }> {
  const [images, sigma, noise] = [
    await reference.inputParts('images', [steps, rounds]),
    await reference.inputParts('rnd_normal', [steps, rounds]),
    await reference.inputParts('noise_unit', [steps, rounds]),
  ];
  const labels = reference.has('in', 'labels') ? await reference.inputParts('labels', [steps, rounds]) : [];
  let round = 0;
  return {
    async next() {
      const normals = { sigma: sigma[round] as Tensor, noise: noise[round] as Tensor };
      const batch = { images: images[round] as Tensor, labels: labels[round] ?? null, normals };
      round++;
      return batch;
    },
  };
}

function rateOf(reference: ReferenceCase) {
  const { ref_lr, ref_batches, rampup_Mimg } = (reference.config.lr ?? {}) as Record<string, number | undefined>;
  return {
    ...(ref_lr === undefined ? {} : { referenceRate: ref_lr }),
    ...(ref_batches === undefined ? {} : { decayBatches: ref_batches }),
    ...(rampup_Mimg === undefined ? {} : { rampupImages: rampup_Mimg * 1e6 }),
  };
}

function adamOf(reference: ReferenceCase) {
  const { beta1 = 0.9, beta2 = 0.99, eps = 1e-8 } = (reference.config.adam ?? {}) as Record<string, number | undefined>;
  return { betas: [beta1, beta2] as const, epsilon: eps };
}

function addAll(results: Computed, prefix: string, values: ReadonlyMap<string, HostArray>): void {
  for (const [name, { shape, data }] of values) results.set(`out/${prefix}.${name}`, { shape, data } as HostNumbers);
}
