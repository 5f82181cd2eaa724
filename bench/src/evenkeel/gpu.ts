// Our own implementation on a graphics card, as a process that the bench asks: `gpu.mjs <webgpu or gpujs-webgpu>`.
import { nameGpu } from '../gpu/node-gpu.ts';
import { serve } from '../process/serve.ts';
import { type GpuBackendName, gpuImplementation } from './gpu-implementation.ts';

const [name = 'webgpu'] = process.argv.slice(2);
const implementation = await gpuImplementation(name as GpuBackendName, await nameGpu());
await serve({ ...implementation, about: { node: process.version, ...implementation.about } });
process.exit();
