// TensorFlow.js: `tfjs.mjs <threads> <cpu, wasm or webgpu>`. On processors it has one thread in Node.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { provideGpu } from '../gpu/node-gpu.ts';
import { serve } from '../process/serve.ts';
import { cardPace } from '../process/timing.ts';
import { type TensorFlow, tensorFlow } from './tensorflow.ts';

const [, backend = 'cpu'] = process.argv.slice(2);
const isGpu = backend === 'webgpu';
const gpu: Record<string, string> = isGpu ? { device: await provideGpu() } : {};
const require = createRequire(import.meta.url);
// Its entries for Node are the CommonJS ones. Gradients come with the whole library only.
const tf = require('@tensorflow/tfjs') as TensorFlow;
const registered = require(`@tensorflow/tfjs-backend-${backend}`) as { setWasmPaths?(folder: string): void };
registered.setWasmPaths?.(join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'dist/'));
await tf.setBackend(backend);
await tf.ready();

await serve({
  about: { node: process.version, version: tf.version_core, ...gpu },
  ...(isGpu ? { pace: cardPace } : {}),
  ...tensorFlow(tf, { isAtOnce: !isGpu }),
});
process.exit();
