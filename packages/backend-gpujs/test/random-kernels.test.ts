import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testRandomKernels } from '../../../test/random-kernels.ts';
import type { GpujsBackend, GpujsMode } from '../src/index.ts';
import { noWebgpu, openBackend } from './backends.ts';

/** What gpu.js's floats cannot do: everything else has to run. */
const refusals = /^(gpu\.js has no float64|random bits take|it reads \d+ buffers)/;

function randomKernels(mode: GpujsMode): void {
  let backend: GpujsBackend;
  beforeAll(async () => {
    backend = await openBackend(mode);
  });
  afterAll(() => backend?.dispose());

  const ran = testRandomKernels(() => backend, 40, refusals);
  test('some of them ran, and nothing is left behind', () => {
    // Half of 120 are refused, for float64 or random bits.
    expect(ran()).toBeGreaterThan(20);
    expect(backend.statistics).toMatchObject({ liveBuffers: 0, compiled: 0 });
  });
}

describe('random kernels are exact on webasm', () => randomKernels('webasm'));
describe.skipIf(noWebgpu)('random kernels are exact on webgpu', () => randomKernels('webgpu'));
