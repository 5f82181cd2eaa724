import type { BackendChoice } from '../cli/backend.ts';
import type { LearningRateOptions } from '../schedule.ts';

/** The network: config G, small enough that it learns while one watches, and as wide as the backend's speed allows. */
export function networkFor(backend: BackendChoice['backend']) {
  return {
    imgResolution: 16,
    imgChannels: 3,
    modelChannels: backend === 'js' ? 16 : 24,
    channelMult: [1, 2],
    numBlocks: 1,
    attnResolutions: [8],
    channelsPerHead: 16,
  } as const;
}

/** Many small steps learn more in the same time than few large ones. */
export const batchSize = 8;

export const learning: Omit<LearningRateOptions, 'batchSize'> = {
  referenceRate: 0.03,
  decayBatches: 500,
  rampupImages: 50 * batchSize,
};

/** Somewhat lower noise than for photographs: at 16 pixels the fine structure is decided there. */
export const noise = { pMean: -0.6, pStd: 1.2 };

export const emaStds = [0.05, 0.1] as const;

/** The length that no average was tracked at: it is reconstructed from the snapshots. */
export const postHocStd = 0.15;

/** The average that most is painted with, and that is judged by. */
export const mainStd = 0.1;

/**
 * Autoguidance: samples move away from what the same network would have painted earlier in its training, when it had seen
 * this share of the images. Weight 1 would be none.
 */
export const guidance = { weight: 2, share: 0.25 } as const;

/** Snapshots of each average, evenly spread over the training time. */
export const snapshotCount = 8;

export const samplerSteps = 12;

/** Samples of each class in a block, where there is time for them. */
export const blockColumns = 4;

/** Blocks of samples of the main average; the others have one each. */
export const mainBlocks = 4;
