// A run in a process of its own, which may be told to die while it writes a checkpoint.
import { type FileHandle, open } from 'node:fs/promises';
import { wasm } from '@evenkeel/backend-wasm';
import { trainRun } from '@evenkeel/edm2/node';
import { createJsBackend, setBackend } from '@evenkeel/tensor';
import { stripes, tinyPreset } from '../packages/edm2/test/train-run/tiny-run.ts';

const [folder = '', backend = 'js', dies = ''] = process.argv.slice(2);
setBackend(backend === 'js' ? createJsBackend() : wasm({ threads: 2 }));
if (dies !== '') await dieIn(dies as 'half' | 'whole');
await trainRun({ folder, dataset: stripes, preset: tinyPreset, onLine: (line) => process.stdout.write(`${line}\n`) });

/** Dies when the second checkpoint is half written, or whole but not yet under its name. */
async function dieIn(how: 'half' | 'whole'): Promise<void> {
  const handle = await open(process.execPath);
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  const write = prototype.writeFile;
  let checkpoints = 0;
  prototype.writeFile = async function (this: FileHandle, content: Uint8Array) {
    if (!Buffer.from(content).includes('training_state') || ++checkpoints < 2) return write.call(this, content);
    await write.call(this, how === 'half' ? content.subarray(0, content.length / 2) : content);
    process.kill(process.pid, 'SIGKILL');
    await new Promise(() => undefined);
  } as FileHandle['writeFile'];
}
