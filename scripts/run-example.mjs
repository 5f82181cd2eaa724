// Runs a TypeScript program of an example on the packages' sources, so that nothing needs building first:
// `node ../../scripts/run-example.mjs main.ts [arguments]`, from the example's folder.
import { mkdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundleSources } from './bundle-sources.mjs';

const [entry, ...programArguments] = process.argv.slice(2);
if (entry === undefined) throw new Error('run-example: name the file to run, such as main.ts');

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'node_modules', '.cache', 'examples', basename(process.cwd()));
const bundle = join(folder, 'main.mjs');
mkdirSync(folder, { recursive: true });
await bundleSources({ main: resolve(entry) }, folder);

// Messages name the lines of the sources.
process.setSourceMapsEnabled(true);
process.argv = [process.argv[0], bundle, ...programArguments];
await import(pathToFileURL(bundle).href);
