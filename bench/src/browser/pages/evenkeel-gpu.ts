// Our own implementation on a graphics card: given the plug-in.
import { type GpuBackendName, gpuImplementation } from '../../evenkeel/gpu-implementation.ts';
import { openPage } from '../bench-page.ts';
import { deviceOf } from '../page-device.ts';

openPage(async ([name]) =>
  gpuImplementation(name as GpuBackendName, await deviceOf(name?.includes('webgl') ? 'webgl' : 'webgpu')),
);
