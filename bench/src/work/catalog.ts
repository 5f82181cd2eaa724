import { attention } from './attention.ts';
import { convolution, convolutionRoles } from './convolution.ts';
import { copy } from './copy.ts';
import { elementwise, elementwiseOperations } from './elementwise.ts';
import { benchNetwork, block, sampling, smallNetwork, trainStep } from './network.ts';
import { sgemm } from './sgemm.ts';
import type { Work } from './work.ts';

const convolutionShapes = [
  { batch: 16, inChannels: 64, size: 32 },
  { batch: 16, inChannels: 128, size: 16 },
  { batch: 16, inChannels: 256, size: 8 },
  { batch: 8, inChannels: 32, size: 64 },
  { batch: 16, inChannels: 96, size: 8 },
  { batch: 4, inChannels: 3, outChannels: 64, size: 64 },
] as const;

/** All that is measured. */
export function catalog(): Work[] {
  return [
    copy(),
    ...[64, 128, 256, 512, 1024, 2048].map((size) => sgemm(size)),
    sgemm(97),
    sgemm(333),
    sgemm(1000),
    sgemm(511, 513, 517),
    ...[3, 1].flatMap((kernel) =>
      convolutionShapes.flatMap((shape) => convolutionRoles.map((role) => convolution(role, kernel, shape))),
    ),
    attention(16, 2, 256, 64),
    attention(16, 4, 64, 64),
    ...elementwiseOperations.map((operation) => elementwise(operation)),
    block('enc', { batch: 16, inChannels: 64, outChannels: 64, size: 32 }),
    block('dec', { batch: 16, inChannels: 128, outChannels: 64, size: 32 }),
    block('enc', { batch: 16, inChannels: 128, outChannels: 128, size: 16, heads: 2 }),
    block('enc', { batch: 4, inChannels: 64, outChannels: 64, size: 16 }),
    block('dec', { batch: 4, inChannels: 128, outChannels: 64, size: 16 }),
    // So small that TensorFlow.js can do it on its CPU backend.
    block('enc', { batch: 2, inChannels: 32, outChannels: 32, size: 8 }),
    block('dec', { batch: 2, inChannels: 64, outChannels: 32, size: 8 }),
    trainStep('edm2-train-step', benchNetwork, 16),
    trainStep('edm2-train-step-small', smallNetwork, 8),
    sampling(benchNetwork, 16),
  ];
}
