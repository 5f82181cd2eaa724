// How well averages of several lengths denoise, made from the snapshots of a training run:
//
//   npm run ema-lengths -w packages/edm2 -- --run /path/to/run --data /path/to/fashion-mnist --stds 0.05,0.075,0.1,0.15
//
// Measured on the test part of the data where it has one (idx files), which training has not seen. --kimg is the time of the
// snapshot to end at, the newest unless told.
import { parseArgs } from 'node:util';
import { wasm } from '@evenkeel/backend-wasm';
import { setBackend } from '@evenkeel/tensor';
import { fitPostHoc, reconstruct, stateDictOf } from '../src/ema/index.ts';
import { denoisingError, denoisingTriples } from '../src/metrics/denoising-error.ts';
import { describedNetwork } from '../src/network/network-metadata.ts';
import { Precond } from '../src/network/precondition.ts';
import { openImageDataset } from '../src/node/data/open.ts';
import { selectSnapshots } from '../src/node/ema/select-snapshots.ts';
import { inMemory } from './preset-trials/trial.ts';

const { values: options } = parseArgs({
  options: {
    run: { type: 'string', default: '.' },
    data: { type: 'string', default: 'emoji16' },
    stds: { type: 'string', default: '0.05,0.1' },
    kimg: { type: 'string' },
    triples: { type: 'string', default: '256' },
    threads: { type: 'string', default: '1' },
  },
});
setBackend(wasm({ experimental: true, threads: Number(options.threads) }));
await using opened = await openImageDataset(options.data, { split: 'test' });
const dataset = await inMemory(opened);
const kimg = options.kimg === undefined ? {} : { kimg: Number(options.kimg) };
const { snapshots, images } = await selectSnapshots(options.run, kimg);
const newest = snapshots.at(-1) as (typeof snapshots)[number];
const { metadata, copied } = await newest.describe();
using net = new Precond(describedNetwork(metadata, newest.path).options);
const indices = Array.from({ length: dataset.length }, (_, i) => i);
const triples = denoisingTriples(dataset, { indices, count: Number(options.triples), pMean: -0.6, pStd: 1.2 });

const targets = options.stds.split(',').map((std) => ({ images, std: Number(std) }));
const averages = await reconstruct(snapshots, targets, { copied, onWarning: console.warn });
for (const [i, values] of averages.entries()) {
  net.loadStateDict(stateDictOf(values));
  const { error, baseline } = await denoisingError(net, triples);
  const target = targets[i] as (typeof targets)[number];
  const { error: miss } = fitPostHoc(snapshots, target);
  console.log(
    `${images} images | ${target.std}, profile missed by ${(100 * miss).toFixed(0)}% | ${((100 * error) / baseline).toFixed(2)}%`,
  );
}
