import { backendConformance } from '@evenkeel/tensor/testing';
import { describe, test } from 'vitest';
import type { WebgpuBackend } from '../src/index.ts';
import { noDevice, openBackend } from './device.ts';

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
