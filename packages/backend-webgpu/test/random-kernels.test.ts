import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testRandomKernels } from '../../../test/random-kernels.ts';
import type { WebgpuBackend } from '../src/index.ts';
import { noDevice, openings } from './device.ts';

const numRuns = 25;

describe.skipIf(noDevice).each(Object.entries(openings))('random kernels are exact, on %s', (_, open) => {
  let backend: WebgpuBackend;
  beforeAll(async () => {
    backend = await open();
  });
  afterAll(() => backend?.dispose());

  const ran = testRandomKernels(() => backend, numRuns, /^WebGPU has no float64$/);
  test('most of them ran, and nothing is left behind', () => {
    expect(ran()).toBeGreaterThan(numRuns);
    expect(backend.statistics.liveBuffers).toBe(0);
  });
});
