// Trains variations of a preset for a while each, and prints how well each denoises pictures that it has not seen:
//
//   npm run preset-trials -w packages/edm2 -- --preset small-28 --data /path/to/fashion-mnist --marks 1Ki,2Ki \
//     --out trials.json "" rate=0.01 rate=0.02,batch=8 rate=0.02,batch=8,seed=1
//
// Each argument is a trial: what it changes in the preset (scripts/preset-trials/variation.ts lists the names), "" nothing.
// Results are added to the file after each trial, and a trial that is in it is not run again. --threads is 1 unless told, so
// that CPU time is comparable. The same command gives the same errors on the same machine.
import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { wasm } from '@evenkeel/backend-wasm';
import { writeFileAtomically } from '@evenkeel/formats/node';
import { setBackend } from '@evenkeel/tensor';
import { ProgressLine } from '../src/cli/progress-line.ts';
import { count } from '../src/cli/values.ts';
import { openImageDataset } from '../src/node/data/open.ts';
import { trainingPresets } from '../src/presets/index.ts';
import { inMemory, type Mark, runTrial } from './preset-trials/trial.ts';
import { variationOf } from './preset-trials/variation.ts';

const { values: options, positionals: trials } = parseArgs({
  allowPositionals: true,
  options: {
    preset: { type: 'string', default: 'small-16' },
    data: { type: 'string', default: 'emoji16' },
    marks: { type: 'string', default: '1Ki,2Ki' },
    triples: { type: 'string', default: '192' },
    threads: { type: 'string', default: '1' },
    out: { type: 'string', default: 'preset-trials.json' },
  },
});
const preset = trainingPresets.get(options.preset);
if (preset === undefined) throw new Error(`preset-trials: there is no preset ${options.preset}`);
setBackend(wasm({ experimental: true, threads: Number(options.threads) }));
const line = new ProgressLine();
await using opened = await openImageDataset(options.data);
const dataset = await inMemory(opened);
const marks = options.marks.split(',').map(count);

const results: Record<string, Mark[]> = existsSync(options.out) ? JSON.parse(readFileSync(options.out, 'utf8')) : {};
for (const trial of trials) {
  // A preset changes, what was tried does not: all that a trial was is its name.
  const { preset: varied, seed } = variationOf(preset, trial);
  const { learningRate: rate, network, loss, batchSize } = varied;
  const name = [
    `rate ${rate.referenceRate}, falls after ${rate.decayBatches}, rises ${rate.rampupImages}`,
    `batch ${batchSize}`,
    `${network.modelChannels} x [${network.channelMult}] x ${network.numBlocks}, attention ${network.attnResolutions}`,
    `noise ${loss.pMean} ${loss.pStd}`,
    ...(network.dropout ? [`dropout ${network.dropout}`] : []),
    `seed ${seed}`,
  ].join('; ');
  const isKnown = marks.every((images) => results[name]?.some((mark) => mark.images === images));
  if (!isKnown) {
    results[name] = await runTrial(
      { preset: varied, seed },
      {
        dataset,
        marks,
        triples: Number(options.triples),
        onStep: (images, value) => line.update(() => `${trial}: ${images} images, loss ${value.toFixed(3)}`),
      },
    );
    await writeFileAtomically(options.out, new TextEncoder().encode(`${JSON.stringify(results, undefined, 1)}\n`));
  }
  for (const { images, loss: mean, errors, cpuSeconds } of results[name] as Mark[]) {
    const shown = Object.entries(errors).map(([std, error]) => `${std}: ${(100 * error).toFixed(2)}%`);
    line.print(`${name} | ${images} | ${shown.join(', ')} | loss ${mean.toFixed(3)} | ${cpuSeconds.toFixed(0)} s`);
  }
}
