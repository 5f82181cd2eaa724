import { wasm } from '@evenkeel/backend-wasm';
import type { Backend } from '@evenkeel/tensor';
import { expect, test, vi } from 'vitest';
import { noWebgpu, openBackend as openGpujs } from '../../backend-gpujs/test/backends.ts';
import { noDevice, openBackend as openWebgpu } from '../../backend-webgpu/test/device.ts';
import { expectAgreement } from './training-agreement.ts';
import { type Trained, type TrainingNetwork, train } from './training-run.ts';

interface Place {
  readonly name: string;
  readonly open: () => Backend | Promise<Backend>;
  /** Devices in software take their time to compile. */
  readonly network: TrainingNetwork;
  /** What the host may be left with. */
  readonly onHost: readonly Trained['onHost'][number]['of'][];
  /** Why it cannot be tried here. */
  readonly missing?: string | undefined;
}

const gpujs = { network: 'small', onHost: ['random bits'] } as const;
const places: readonly Place[] = [
  { name: 'WebAssembly', open: () => wasm({ threads: 2 }), network: 'wide', onHost: [] },
  { name: 'WebGPU', open: () => openWebgpu(), network: 'small', onHost: [], missing: noDevice },
  { name: 'gpu.js by WebAssembly', open: () => openGpujs('webasm'), ...gpujs },
  { name: 'gpu.js by WebGPU', open: () => openGpujs('webgpu'), ...gpujs, missing: noWebgpu },
];

// In browsers: test/browser/backends-agree.test.ts.
for (const { name, open, network, onHost, missing } of places) {
  test.skipIf(missing)(
    `${name} trains as plain JavaScript does, to rounding, and nearly all on the device`,
    async () => {
      const backend = await open();
      const trained = await train(backend, network);
      await expectAgreement(trained, network);
      expect(trained.onHost.filter((kernel) => !onHost.includes(kernel.of))).toEqual([]);
      const { statistics } = backend as { statistics?: object };
      // Freed as soon as the last run is seen to be over.
      if (statistics) await vi.waitFor(() => expect(backend).toMatchObject({ statistics: { liveBuffers: 0 } }), 60_000);
      await backend.dispose();
    },
    // Some 250 kernels are compiled, one after the other where the device is in software.
    600_000,
  );
}
