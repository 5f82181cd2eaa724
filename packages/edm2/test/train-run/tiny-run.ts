import type { PictureSet, TrainingPreset } from '../../src/index.ts';

/** The smallest run with every kind of file: 8 steps to a checkpoint. */
export const tinyPreset: TrainingPreset = {
  name: 'tiny',
  madeFor: { imgResolution: 4, imgChannels: 3, labelDim: 2 },
  network: { modelChannels: 4, channelMult: [1], numBlocks: 1, logvarChannels: 8, dropout: 0.1 },
  duration: 4096,
  batchSize: 128,
  loss: { pMean: -0.4, pStd: 1, sigmaData: 0.5 },
  learningRate: { referenceRate: 0.02, decayBatches: 10, rampupImages: 512 },
  draws: 'class-balanced',
  emaStds: [0.05, 0.1],
  snapshotImages: 2048,
  checkpointImages: 1024,
  statusImages: 512,
  fp16: false,
};

/** Pictures of two classes, stripes across and stripes along. */
export const stripes: PictureSet = {
  name: 'stripes',
  length: 40,
  channels: 3,
  resolution: 4,
  labelDim: 2,
  classNames: ['across', 'along'],
  image: (index) =>
    Uint8Array.from({ length: 48 }, (_, i) => {
      const [y, x] = [Math.floor((i % 16) / 4), i % 4];
      return ((index % 2 === 0 ? y : x) % 2) * 200 + (index % 20);
    }),
  label: (index) => index % 2,
};
