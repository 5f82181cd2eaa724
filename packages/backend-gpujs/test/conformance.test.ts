import { backendConformance } from '@evenkeel/tensor/testing';
import { describe, test } from 'vitest';
import type { GpujsBackend } from '../src/index.ts';
import { noWebgpu, openBackend } from './backends.ts';

function conformance(mode: 'webasm' | 'webgpu', numRuns: number): void {
  let backend: GpujsBackend;
  const create = async () => {
    backend = await openBackend(mode);
    return backend;
  };
  const executedKernels = () => backend.statistics?.kernelsRun ?? 0;
  const checks = backendConformance(create, { numRuns, flushesSubnormals: true, executedKernels });
  for (const { name, run } of checks) test(name, run);
}

describe('webasm', () => conformance('webasm', 4));
describe.skipIf(noWebgpu)('webgpu', () => conformance('webgpu', 1));
