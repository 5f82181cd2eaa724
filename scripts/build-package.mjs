// Builds the package in the current folder: `src/` -> `dist/*.js` (ESM with source maps) and `dist/types/`.
//
// Entries are the `exports` of package.json (`./testing` is `src/testing/index.ts` -> `dist/testing.js`) and every
// `src/<program>/main.ts` (-> `dist/<program>.js`), which is run rather than imported. Code that entries share goes to
// common chunks, so that module state (the current backend, the module scope) exists once.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));

/** @type {Record<string, string>} */
const entryPoints = {};
for (const key of Object.keys(manifest.exports)) {
  if (key === './package.json') continue;
  const name = key.slice(2);
  entryPoints[name || 'index'] = join('./src', name, 'index.ts');
}
for (const folder of readdirSync('src')) {
  const main = join('src', folder, 'main.ts');
  if (existsSync(main)) entryPoints[folder] = main;
}

rmSync('dist', { recursive: true, force: true });
const { metafile } = await build({
  entryPoints,
  outdir: 'dist',
  bundle: true,
  splitting: true,
  chunkNames: 'chunk-[hash]',
  format: 'esm',
  platform: 'neutral',
  target: 'es2022', // down-levels `using`
  packages: 'external',
  external: ['node:*'],
  sourcemap: true,
  metafile: true,
  tsconfig: 'tsconfig.build.json', // without the paths that lead to other packages' sources
  logLevel: 'warning',
});

// A second copy of another package would hold a second current backend.
const foreign = Object.keys(metafile.inputs).filter((input) => !input.startsWith('src/'));
if (foreign.length > 0) throw new Error(`${manifest.name}: the bundle holds files of others: ${foreign.join(', ')}`);

const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
const types = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { stdio: 'inherit' });
process.exit(types.status ?? 1);
