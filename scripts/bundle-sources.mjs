import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Bundles TypeScript programs with the packages' sources, so that nothing needs building first: each entry becomes
 * `<outdir>/<name>.mjs`, for Node. `outdir` must be inside the repository, where packages of others are found.
 *
 * @param {Record<string, string>} entryPoints file of each program, by name
 * @param {string} outdir
 * @param {readonly string[]} [external] packages of the programs' own that stay where they are installed
 */
export async function bundleSources(entryPoints, outdir, external = []) {
  await build({
    entryPoints,
    outdir,
    bundle: true,
    splitting: true,
    chunkNames: 'chunk-[hash]',
    outExtension: { '.js': '.mjs' },
    format: 'esm',
    platform: 'node',
    target: 'es2022', // down-levels `using`
    tsconfig: join(root, 'tsconfig.base.json'),
    external: ['commander', 'fast-check', 'fast-png', 'fflate', 'ndarray', 'picocolors', ...external],
    sourcemap: 'inline',
    logLevel: 'warning',
    plugins: [{ name: 'own-url', setup: keepOwnUrls }],
  });
}

/**
 * A source that looks for files beside itself must find them though it is bundled.
 *
 * @param {import('esbuild').PluginBuild} plugin
 */
function keepOwnUrls(plugin) {
  plugin.onLoad({ filter: /[\\/]packages[\\/][^\\/]+[\\/]src[\\/].*\.ts$/ }, async ({ path }) => {
    const source = await readFile(path, 'utf8');
    return { contents: source.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)), loader: 'ts' };
  });
}
