// Packs each package, installs it alone in an empty folder (with the @evenkeel packages it needs, as tarballs), then
// imports every entry of its `exports` in Node and compiles a program against its types. The main entry is imported
// before the optional peers are installed: it must not need them. Overrides are those of this repository, as users of gpu.js are
// told to have them: without, it brings 84 MB that it never loads. Packages must be built first.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {object} Manifest
 * @property {string} name
 * @property {string} version
 * @property {Record<string, string | { types: string, import: string }>} exports
 * @property {Record<string, string>} [dependencies]
 * @property {Record<string, string>} [peerDependencies]
 */

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);
const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');
const work = mkdtempSync(join(tmpdir(), 'evenkeel-packages-'));
const tarballs = join(work, 'tarballs');
mkdirSync(tarballs);

/** @param {string} path @returns {any} */
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));

/** @param {string} folder @param {string[]} args */
const npm = (folder, ...args) =>
  execFileSync('npm', args, {
    cwd: folder,
    encoding: 'utf8',
    shell: process.platform === 'win32',
    stdio: ['ignore', 'pipe', 'inherit'],
  });

/** @type {{ devDependencies: Record<string, string>, overrides: Record<string, Record<string, string>> }} */
const { devDependencies, overrides: own } = readJson(join(root, 'package.json'));
// `$webgpu` means the version that the root itself asks for.
const versionOf = (/** @type {string} */ asked) => (asked.startsWith('$') ? devDependencies[asked.slice(1)] : asked);
const overrides = Object.fromEntries(
  Object.entries(own).map(([name, of]) => [
    name,
    Object.fromEntries(Object.entries(of).map(([inner, asked]) => [inner, versionOf(asked)])),
  ]),
);

/** @type {Map<string, { manifest: Manifest, tarball: string }>} */
const packed = new Map();
for (const folder of readdirSync(join(root, 'packages'))) {
  const path = join(root, 'packages', folder);
  if (!existsSync(join(path, 'dist'))) throw new Error(`check:packages: ${folder} is not built. Run \`npm run build\``);
  /** @type {Manifest} */
  const manifest = readJson(join(path, 'package.json'));
  const [{ filename }] = JSON.parse(npm(path, 'pack', '--json', '--pack-destination', tarballs));
  packed.set(manifest.name, { manifest, tarball: join(tarballs, filename) });
}

/** @param {string} name @returns {string[]} the package and every @evenkeel package below it */
function withDependencies(name) {
  const below = Object.keys(packed.get(name)?.manifest.dependencies ?? {}).filter((other) => packed.has(other));
  return [...new Set([name, ...below.flatMap(withDependencies)])];
}

/** @param {string} folder @param {string[]} specifiers */
function importInNode(folder, specifiers) {
  const program = `
    for (const specifier of ${JSON.stringify(specifiers)}) {
      const count = Object.keys(await import(specifier)).length;
      if (count === 0) throw new Error(specifier + ' exports nothing');
      console.log('  ' + specifier + ': ' + count + ' exports');
    }`;
  execFileSync(process.execPath, ['--input-type=module', '-e', program], { cwd: folder, stdio: 'inherit' });
}

/** @param {string} folder @param {string[]} specifiers */
function compileAgainstTypes(folder, specifiers) {
  const program = specifiers.map((specifier, i) => `import * as entry${i} from '${specifier}';\nvoid entry${i};\n`);
  writeFileSync(join(folder, 'program.ts'), program.join(''));
  const options = ['--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext', '--types', 'node'];
  const libraries = ['--lib', 'es2023,esnext.disposable'];
  execFileSync(process.execPath, [tsc, ...options, ...libraries, 'program.ts'], { cwd: folder, stdio: 'inherit' });
}

for (const [name, { manifest }] of packed) {
  console.log(name);
  const folder = join(work, manifest.name.replace('@evenkeel/', ''));
  mkdirSync(folder);
  const dependencies = Object.fromEntries(withDependencies(name).map((n) => [n, `file:${packed.get(n)?.tarball}`]));
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ private: true, type: 'module', dependencies, overrides }),
  );
  const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', '--omit=peer'];
  npm(folder, ...install);
  importInNode(folder, [name]);

  const peers = Object.entries(manifest.peerDependencies ?? {}).map(([peer, range]) => `${peer}@${range}`);
  if (peers.length > 0) npm(folder, ...install, ...peers);
  // What a TypeScript user on Node has in any case; linked by copying, so that nothing else of the workspace is seen.
  for (const types of ['@types/node', 'undici-types']) {
    cpSync(join(root, 'node_modules', types), join(folder, 'node_modules', types), { recursive: true });
  }
  const entries = Object.keys(manifest.exports).filter((key) => key !== './package.json');
  const specifiers = entries.map((key) => name + key.slice(1));
  importInNode(folder, specifiers.slice(1));
  compileAgainstTypes(folder, specifiers);
}
rmSync(work, { recursive: true, force: true });
console.log(`${packed.size} packages install alone, import in Node and compile against their types`);
