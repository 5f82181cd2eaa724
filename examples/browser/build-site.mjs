import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = join(here, '..', '..');

/** Where the page is built, unless it is told. */
export const siteFolder = join(here, 'dist');

/** What the page fetches as it is. */
const copied = {
  'index.html': here,
  weights: here,
  'emoji16.png': join(root, 'packages/edm2/assets'),
  'emoji16.json': join(root, 'packages/edm2/assets'),
};

/**
 * Builds the page from the packages' sources into `outdir`: a static site that works from any folder of any server.
 *
 * @param {string} [outdir]
 */
export async function buildSite(outdir = siteFolder) {
  await rm(outdir, { recursive: true, force: true });
  await mkdir(outdir, { recursive: true });
  await Promise.all(
    Object.entries(copied).map(([name, folder]) => cp(join(folder, name), join(outdir, name), { recursive: true })),
  );
  await build({
    entryPoints: {
      main: join(here, 'main.ts'),
      style: join(here, 'style/main.css'),
      'sample-worker': join(here, 'src/worker/sample-worker.ts'),
      'train-worker': join(here, 'src/worker/train-worker.ts'),
    },
    outdir,
    bundle: true,
    // GPU backends are chunks of their own, fetched when they are chosen.
    splitting: true,
    chunkNames: 'chunk-[hash]',
    format: 'esm',
    platform: 'browser',
    target: 'es2022', // down-levels `using`
    minify: true,
    sourcemap: true,
    tsconfig: join(root, 'tsconfig.base.json'),
    logLevel: 'warning',
  });
  return outdir;
}
