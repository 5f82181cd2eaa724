import { backendConformance } from '@evenkeel/tensor/testing';
import { describe, test } from 'vitest';
import type { WebgpuBackend } from '../src/index.ts';
import { noDevice, openAsCard, openBackend } from './device.ts';

describe.skipIf(noDevice)('conformance', () => {
  let backend: WebgpuBackend;
  const create = async () => {
    backend = await openBackend();
    return backend;
  };
  const checks = backendConformance(create, {
    numRuns: 4,
    flushesSubnormals: true,
    executedKernels: () => backend.statistics.kernelsRun,
  });
  for (const { name, run } of checks) test(name, run);
});

// What software is spared, for it takes long to compile.
describe.skipIf(noDevice)('conformance by the programs of a card', () => {
  const checks = backendConformance(openAsCard, { numRuns: 1, flushesSubnormals: true });
  for (const { name, run } of checks) {
    if (/products of|convolutions|other orders|normalization of rows/.test(name)) test(name, run);
  }
});
