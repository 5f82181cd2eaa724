import type { TrainingPreset } from '../../src/presets/index.ts';

/** What a trial changes in its preset. */
type Change = (preset: TrainingPreset, value: number) => TrainingPreset;

const rate =
  (key: keyof TrainingPreset['learningRate']): Change =>
  (preset, value) => ({ ...preset, learningRate: { ...preset.learningRate, [key]: value } });
const noise =
  (key: keyof TrainingPreset['loss']): Change =>
  (preset, value) => ({ ...preset, loss: { ...preset.loss, [key]: value } });
const size =
  (key: 'modelChannels' | 'numBlocks' | 'channelsPerHead' | 'dropout'): Change =>
  (preset, value) => ({ ...preset, network: { ...preset.network, [key]: value } });

const changes: Readonly<Record<string, Change>> = {
  rate: rate('referenceRate'),
  decay: rate('decayBatches'),
  rampup: rate('rampupImages'),
  batch: (preset, batchSize) => ({ ...preset, batchSize }),
  channels: size('modelChannels'),
  blocks: size('numBlocks'),
  head: size('channelsPerHead'),
  dropout: size('dropout'),
  mean: noise('pMean'),
  deviation: noise('pStd'),
};

/** A preset with some of its numbers changed, and the seed of a training. */
export interface Variation {
  readonly preset: TrainingPreset;
  readonly seed: number;
}

/** Reads `rate=0.02,batch=8,seed=1`; levels are `mult=1:2:2`. An empty text changes nothing. */
export function variationOf(base: TrainingPreset, text: string): Variation {
  let [preset, seed] = [base, 0];
  for (const part of text.split(',').filter((each) => each !== '')) {
    const [key = '', value = ''] = part.split('=');
    const change = changes[key];
    if (key === 'seed') seed = Number(value);
    else if (key === 'mult') {
      preset = { ...preset, network: { ...preset.network, channelMult: value.split(':').map(Number) } };
    } else if (change !== undefined && Number.isFinite(Number.parseFloat(value))) {
      preset = change(preset, Number(value));
    } else
      throw new Error(`preset-trials: ${part}: give ${[...Object.keys(changes), 'mult', 'seed'].join(', ')}=NUMBER`);
  }
  return { preset, seed };
}
