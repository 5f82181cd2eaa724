// Our own implementation, as a process that the bench asks: `evenkeel.mjs <threads> <instructions>`.
import { wasm } from '@evenkeel/backend-wasm';
import { setBackend } from '@evenkeel/tensor';
import { serve } from '../process/serve.ts';
import { Launches } from './launches.ts';
import { prepare } from './prepare.ts';

const [threads = '1', instructions = 'best'] = process.argv.slice(2);
// The process is ours, so it may have what engines keep behind flags.
const backend = wasm({
  threads: Number(threads),
  experimental: true,
  ...(instructions === 'best' ? {} : { instructions: instructions as 'plain' }),
});
setBackend(backend);
const launches = new Launches(backend);
const about = { node: process.version, v8: process.versions.v8, instructions: backend.instructions };

await serve({ about, prepare: (task, inputs) => prepare(task, inputs, launches) });
await backend.dispose();
