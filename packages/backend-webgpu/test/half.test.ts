import type { Kernel } from '@evenkeel/tensor/kernel';
import { contractionKernels, elementwiseKernels, type KernelCase, rowKernels } from '@evenkeel/tensor/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DeviceTraits } from '../src/wgsl/device-traits.ts';
import { printKernel } from '../src/wgsl/print-kernel.ts';

const traits: DeviceTraits = {
  half: true,
  subgroupThreads: 32,
  checksBounds: false,
  workgroupThreads: 256,
  workgroupBytes: 32768,
  workgroupsPerAxis: 65535,
  storageBuffers: 16,
};

/** Few cards of those that tests run on have float16 and subgroups: here the compiler alone tells, on a device that computes nothing. */
describe('programs for cards with float16 and subgroups compile', () => {
  let instance: GPU | undefined;
  let device: GPUDevice | undefined;
  let compiled = 0;
  beforeAll(async () => {
    const { create } = (await import('webgpu')) as unknown as { create(flags: readonly string[]): GPU };
    instance = create(['backend=null']);
    const adapter = await instance.requestAdapter();
    device = await adapter?.requestDevice({ requiredFeatures: ['shader-f16', 'subgroups'] });
  });
  afterAll(() => device?.destroy());

  async function compiles({ kernel }: KernelCase): Promise<void> {
    // Random kernels have an operand of every dtype, used or not.
    const operands = kernel.operands.map((one) => (one.dtype === 'float64' ? { ...one, dtype: 'float32' } : one));
    const here = { ...kernel, operands } as Exclude<Kernel, { kind: 'host' }>;
    if (JSON.stringify(here).includes('float64')) return;
    compiled++;
    for (const { code } of printKernel(here, traits).launches) {
      const module = (device as GPUDevice).createShaderModule({ code });
      const { messages } = await module.getCompilationInfo();
      const wrong = messages
        .filter(({ type }) => type === 'error')
        .map(({ lineNum, message }) => `${lineNum}: ${message}`);
      expect(wrong, code).toEqual([]);
    }
  }

  const sizes = [1, 2, 4, 8, 17, 64, 100];
  const runs = { numRuns: 40 };
  test('elementwise', () => fc.assert(fc.asyncProperty(elementwiseKernels({ sizes, elements: 5000 }), compiles), runs));
  test('rows', () => fc.assert(fc.asyncProperty(rowKernels({ sizes, elements: 5000 }), compiles), runs));
  test('contractions', () => {
    return fc.assert(fc.asyncProperty(contractionKernels({ sizes: [1, 2, 8, 20, 36] }), compiles), runs);
  });
  test('many of them', () => expect(compiled).toBeGreaterThan(runs.numRuns / 2));
});
