import { gpujs } from '@evenkeel/backend-gpujs';
import { webgpu } from '@evenkeel/backend-webgpu';
import { type Backend, setBackend } from '@evenkeel/tensor';
import { type Implementation, Unsupported } from '../process/implementation.ts';
import { cardPace } from '../process/timing.ts';
import { withDeviceClock } from './device-clock.ts';
import { Launches } from './launches.ts';
import { prepare } from './prepare.ts';

/** A plug-in and, where it has several, its mode. */
export type GpuBackendName = 'webgpu' | 'gpujs-webgpu' | 'gpujs-webgl2';

/** Elements of a tensor. */
const gpujsLargest = 2 ** 24;

/** Our own implementation on a graphics card, which is now the current backend; `device` is what its driver calls it. */
export async function gpuImplementation(name: GpuBackendName, device: string): Promise<Implementation> {
  const backend = await open(name);
  setBackend(backend);
  const launches = new Launches(backend);
  return {
    about: { device },
    pace: cardPace,
    async prepare(task, inputs) {
      if (name !== 'webgpu' && inputs.some(({ values }) => values.length > gpujsLargest)) {
        throw new Unsupported('gpu.js counts 2^24 elements at most');
      }
      const prepared = await prepare(task, inputs, launches);
      const isClocked = name === 'webgpu' && task.kind !== 'host-time';
      return isClocked ? withDeviceClock(prepared) : prepared;
    },
  };
}

async function open(name: GpuBackendName): Promise<Backend> {
  switch (name) {
    case 'webgpu':
      return webgpu();
    case 'gpujs-webgpu':
      return gpujs({ mode: 'webgpu', fallback: false });
    case 'gpujs-webgl2':
      return gpujs({ mode: 'webgl2', fallback: false });
  }
}
