import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** A program with the packages' sources, as one module for Node or for a page. */
export async function bundle(program: URL, platform: 'node' | 'browser'): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(program)],
    bundle: true,
    write: false,
    format: 'esm',
    platform,
    target: 'es2022', // down-levels `using`
    sourcemap: 'inline',
    tsconfig: fileURLToPath(new URL('../../../tsconfig.base.json', import.meta.url)),
    logLevel: 'warning',
  });
  return outputFiles[0]?.text ?? '';
}
