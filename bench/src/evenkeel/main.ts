// Our own implementation, as a process that the bench asks: `evenkeel.mjs <threads> <instructions>`.
import { serve } from '../process/serve.ts';
import { prepare } from './prepare.ts';
import { startBackend } from './start-backend.ts';

const [threads = '1', instructions = 'best'] = process.argv.slice(2);
const { backend, launches } = startBackend(Number(threads), instructions);
const about = { node: process.version, v8: process.versions.v8, instructions: backend.instructions };

await serve({ about, prepare: (task, inputs) => prepare(task, inputs, launches) });
await backend.dispose();
