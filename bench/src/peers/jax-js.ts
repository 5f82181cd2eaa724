// jax-js: `jax-js.mjs <threads> [wasm or webgpu]`. In Node its WebAssembly has one thread.
import { provideGpu } from '../gpu/node-gpu.ts';
import { serve } from '../process/serve.ts';
import { cardPace } from '../process/timing.ts';
import { type Jax, jaxJs } from './jax.ts';

const [, device = 'wasm'] = process.argv.slice(2);
const isGpu = device === 'webgpu';
const gpu: Record<string, string> = isGpu ? { device: await provideGpu() } : {};
const name = '@jax-js/jax';
// Its start-up looks for a browser's navigator, which Node 20 lacks.
(globalThis as { navigator?: unknown }).navigator ??= { hardwareConcurrency: 1 };
const jax = (await import(name)) as Jax;
await jax.init();
jax.defaultDevice(device);

await serve({
  about: { node: process.version, ...gpu },
  ...(isGpu ? { pace: cardPace } : {}),
  ...jaxJs(jax),
});
process.exit();
