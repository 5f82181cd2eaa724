// Builds the bench from sources, so that nothing needs building first, and runs it: `node bench/run.mjs [options]`.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundleSources } from '../scripts/bundle-sources.mjs';
import { programs } from './programs.mjs';

const folder = fileURLToPath(new URL('.', import.meta.url));
/** Of a process of its own, so that another bench may run at the same time. */
const dist = join(folder, 'dist', String(process.pid));
process.on('exit', () => rmSync(dist, { recursive: true, force: true }));

await bundleSources(programs, dist, ['esbuild', 'playwright-core']);
process.setSourceMapsEnabled(true);
await import(pathToFileURL(join(dist, 'bench.mjs')).href);
