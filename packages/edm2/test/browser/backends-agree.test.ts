import { describe, expect, test } from 'vitest';
import { chromiumPage } from '../../../../test/browser/chromium-page.ts';
import type { BackendChoice } from '../../../../test/browser/page.ts';
import { expectAgreement } from '../training-agreement.ts';
import type { Trained } from '../training-run.ts';

interface Place {
  readonly name: string;
  readonly choice: BackendChoice;
  readonly onHost: readonly Trained['onHost'][number]['of'][];
}

const places: readonly Place[] = [
  { name: 'WebAssembly', choice: { name: 'wasm' }, onHost: [] },
  { name: 'WebGPU', choice: { name: 'webgpu' }, onHost: [] },
  { name: 'gpu.js by WebGL 2', choice: { name: 'gpujs', mode: 'webgl2' }, onHost: ['random bits'] },
];

describe('in Chromium', () => {
  const page = chromiumPage({ webgpu: true });

  for (const { name, choice, onHost } of places) {
    test(`${name} trains as plain JavaScript does, to rounding, and nearly all on the device`, async () => {
      const trained = await page.call('train', choice, 'small');
      await expectAgreement(trained, 'small');
      expect(trained.onHost.filter((kernel) => !onHost.includes(kernel.of))).toEqual([]);
    });
  }
});
