// Packs what measures a graphics card elsewhere, where there may be neither Node nor a network: `npm run bench:pack`.
// The folder that it writes, `out/bench-pack`, needs Linux on x64, a Vulkan driver and tar; its run.sh does the rest.
import { spawnSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundleSources } from '../scripts/bundle-sources.mjs';
import { gpuPrograms } from './programs.mjs';

const bench = fileURLToPath(new URL('.', import.meta.url));
const root = dirname(bench.replace(/\/$/, ''));
const require = createRequire(import.meta.url);
const pack = join(root, 'out', 'bench-pack');
const payload = join(root, 'out', 'bench-payload');
const built = join(bench, 'dist', 'pack');
const most = 64 * 2 ** 20;

for (const folder of [pack, payload, built]) await rm(folder, { recursive: true, force: true });
await mkdir(pack, { recursive: true });
await packPrograms();
await packDawn();
await packPeers();
await packSystem();
await compress();

/** The bench's programs with everything that they import, but for what they look up by name. */
async function packPrograms() {
  await bundleSources(gpuPrograms, built);
  await build({
    entryPoints: Object.keys(gpuPrograms).map((name) => join(built, `${name}.mjs`)),
    outdir: join(payload, 'bench', 'dist', 'packed'),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    external: ['esbuild', 'playwright-core'],
    // CommonJS packages among them ask for Node's own modules.
    banner: {
      js: "import { createRequire as toRequire } from 'node:module'; const require = toRequire(import.meta.url);",
    },
    logLevel: 'warning',
  });
  await cp(join(bench, 'peers'), join(payload, 'bench', 'peers'), {
    recursive: true,
    filter: (path) => !path.includes('__pycache__'),
  });
}

/** WebGPU for this kind of machine. */
async function packDawn() {
  const dawn = dirname(require.resolve('webgpu'));
  const place = join(payload, 'node_modules', 'webgpu');
  const platform = join('dist', `${process.platform}-${process.arch}`);
  for (const name of ['package.json', 'index.js', platform]) {
    await cp(join(dawn, name), join(place, name), { recursive: true });
  }
}

/** Other libraries as browsers load them: few files, without dependencies. */
async function packPeers() {
  const from = join(bench, 'node_modules');
  const to = join(payload, 'bench', 'node_modules');
  const jax = join('@jax-js', 'jax');
  await cp(join(from, jax, 'package.json'), join(to, jax, 'package.json'));
  for (const name of await readdir(join(from, jax, 'dist'))) {
    if (name.endsWith('.js')) await cp(join(from, jax, 'dist', name), join(to, jax, 'dist', name));
  }
  const tensorflow = join(to, '@tensorflow');
  const browserBuild = (/** @type {string} */ name, /** @type {string} */ file) => {
    return cp(join(from, '@tensorflow', name, 'dist', file), join(tensorflow, name, 'index.js'));
  };
  await browserBuild('tfjs', 'tf.min.js');
  await browserBuild('tfjs-backend-webgpu', 'tf-backend-webgpu.min.js');
  await mkdir(join(tensorflow, 'tfjs-core'), { recursive: true });
  await writeFile(join(tensorflow, 'tfjs-core', 'index.js'), "module.exports = require('@tensorflow/tfjs');\n");
  // Says that nothing is to be installed.
  await writeFile(join(to, '.package-lock.json'), '{}\n');
}

/** This machine's Node, and Vulkan's loader for machines that lack it. */
async function packSystem() {
  await cp(process.execPath, join(payload, 'node'), { dereference: true });
  const found = spawnSync('ldconfig', ['-p'], { encoding: 'utf8' }).stdout ?? '';
  const loader = /libvulkan\.so\.1 .*x86-64.*=> (\S+)/.exec(found)?.[1];
  if (loader === undefined) throw new Error("pack: Vulkan's loader is not here. On Debian: apt-get install libvulkan1");
  await cp(loader, join(payload, 'lib', 'libvulkan.so.1'), { dereference: true });
}

async function compress() {
  const file = join(pack, 'payload.tar.xz');
  const { status } = spawnSync('tar', ['-C', payload, '-cJf', file, '.'], {
    stdio: 'inherit',
    env: { ...process.env, XZ_OPT: '-9 -T0' },
  });
  if (status !== 0) throw new Error('pack: tar failed; it needs xz');
  await writeFile(join(pack, 'run.sh'), await readFile(join(bench, 'packed-run.sh')), { mode: 0o755 });
  const { size } = await stat(file);
  console.log(`${pack}: ${(size / 2 ** 20).toFixed(1)} MiB`);
  if (size > most) throw new Error('pack: larger than 64 MiB');
}
