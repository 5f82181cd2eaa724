import { describe, expect, test } from 'vitest';
import { noWebgpu, openBackend } from '../../backend-gpujs/test/backends.ts';
import { hostSteps, trainHolding } from './gpujs-training.ts';

function trainsOn(mode: 'webasm' | 'webgpu'): void {
  test('a training step has nothing on the host but random bits', async () => {
    const backend = await openBackend(mode);
    const { steps, onHost } = await hostSteps(backend);
    expect(steps).toBeGreaterThan(100);
    // Noise levels, noise and dropout.
    expect(onHost.length).toBeGreaterThan(0);
    for (const reason of onHost) expect(reason).toMatch(/^random bits/);
    await backend.dispose();
  });

  test('200 training steps hold no more than four', async () => {
    const backend = await openBackend(mode);
    const { held, losses } = await trainHolding(backend, [4, 200]);
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(held[1]).toEqual({ ...held[0], step: 200 });
    await backend.dispose();
    expect(backend.statistics).toMatchObject({ liveBuffers: 0, handles: 0, pooled: 0, compiled: 0 });
  });
}

describe('EDM2 on gpu.js by WebAssembly', () => trainsOn('webasm'));
describe.skipIf(noWebgpu)('EDM2 on gpu.js by WebGPU', () => trainsOn('webgpu'));
