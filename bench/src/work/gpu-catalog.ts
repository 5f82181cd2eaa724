import { chain } from './chain.ts';
import { copy } from './copy.ts';
import { elementwise } from './elementwise.ts';
import { benchNetwork, block, cardNetwork, hostTime, sampling, tinyNetwork, trainStep } from './network.ts';
import { sgemm } from './sgemm.ts';
import type { Work } from './work.ts';

/**
 * What is measured of graphics cards, what matters most first: a bench that is cut short has it. Devices in software get
 * sizes that they can do; their figures tell of correctness and of overheads.
 */
export function gpuCatalog(device: 'card' | 'software'): Work[] {
  return device === 'software' ? softwareCatalog() : cardCatalog();
}

function cardCatalog(): Work[] {
  const half = 2 ** 27; // floats, 512 MiB
  return [
    sgemm(4096),
    hostTime(benchNetwork, 16),
    copy(half),
    elementwise('mp-silu-sum', [half], 'uniform'),
    trainStep('edm2-train-step', benchNetwork, 16),
    block('enc', { batch: 16, inChannels: 128, outChannels: 128, size: 32 }, { isForwardOnly: true }),
    sampling(benchNetwork, 16, 'steps/s'),
    sgemm(2048),
    sgemm(1024),
    sgemm(512),
    chain(100, 32),
    block('enc', { batch: 16, inChannels: 128, outChannels: 128, size: 32 }),
    elementwise('pixel-norm', [64, 256, 64, 64], 'uniform'),
    elementwise('softmax', [262144, 256], 'uniform'),
    trainStep('edm2-train-step-large', cardNetwork, 16),
  ];
}

function softwareCatalog(): Work[] {
  const blockShape = { batch: 2, inChannels: 32, outChannels: 32, size: 8 };
  return [
    sgemm(256),
    hostTime(tinyNetwork, 4),
    copy(2 ** 22),
    elementwise('mp-silu-sum', [2 ** 20]),
    trainStep('edm2-train-step-tiny', tinyNetwork, 4),
    block('enc', blockShape, { isForwardOnly: true }),
    sampling(tinyNetwork, 4, 'steps/s'),
    sgemm(128),
    sgemm(64),
    chain(100, 32),
    block('enc', blockShape),
    elementwise('pixel-norm', [4, 64, 32, 32]),
    elementwise('softmax', [4096, 256]),
  ];
}
