import type { TrainingPreset } from './training.ts';

const Ki = 2 ** 10;

/** What the small presets share: many small steps at a high rate, which learn more in the same time than few large ones. */
const shared = {
  draws: 'class-balanced',
  emaStds: [0.05, 0.1],
  fp16: false,
} as const;

/** Networks that learn on a machine without a GPU: sizes for minutes to a night. `docs/presets.md` says what was tried. */
export const smallPresets: readonly TrainingPreset[] = [
  {
    ...shared,
    name: 'small-16',
    madeFor: { imgResolution: 16, imgChannels: 3, labelDim: 10 },
    network: { modelChannels: 24, channelMult: [1, 2], numBlocks: 1, attnResolutions: [8], channelsPerHead: 16 },
    duration: 128 * Ki,
    batchSize: 8,
    loss: { pMean: -0.6, pStd: 1.2, sigmaData: 0.5 },
    learningRate: { referenceRate: 0.03, decayBatches: 500, rampupImages: 400 },
    snapshotImages: 8 * Ki,
    checkpointImages: 8 * Ki,
    statusImages: 1 * Ki,
  },
  {
    ...shared,
    name: 'small-28',
    madeFor: { imgResolution: 28, imgChannels: 1, labelDim: 10 },
    network: { modelChannels: 24, channelMult: [1, 2, 2], numBlocks: 1, attnResolutions: [7, 8], channelsPerHead: 16 },
    duration: 256 * Ki,
    batchSize: 8,
    loss: { pMean: -0.6, pStd: 1.2, sigmaData: 0.5 },
    learningRate: { referenceRate: 0.03, decayBatches: 500, rampupImages: 400 },
    snapshotImages: 16 * Ki,
    checkpointImages: 16 * Ki,
    statusImages: 2 * Ki,
  },
  {
    ...shared,
    name: 'small-64',
    draws: 'shuffled',
    madeFor: { imgResolution: 64, imgChannels: 3, labelDim: 0 },
    network: {
      modelChannels: 32,
      channelMult: [1, 2, 2, 3],
      numBlocks: 1,
      attnResolutions: [16, 8],
      channelsPerHead: 32,
    },
    duration: 512 * Ki,
    batchSize: 8,
    loss: { pMean: -0.6, pStd: 1.4, sigmaData: 0.5 },
    learningRate: { referenceRate: 0.03, decayBatches: 500, rampupImages: 400 },
    snapshotImages: 32 * Ki,
    checkpointImages: 8 * Ki,
    statusImages: 2 * Ki,
  },
];
