import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Import, importsOf } from '../scripts/imports.mjs';

/** Which packages a package may import. Nothing points the other way. */
const packageOrder: Record<string, readonly string[]> = {
  tensor: [],
  nn: ['tensor'],
  formats: ['tensor'],
  'mp-nn': ['nn', 'tensor'],
  edm2: ['mp-nn', 'nn', 'formats', 'tensor'],
};
/** Added for programs, whose user picks a backend; the libraries never name one. */
const backendsOfPrograms: Record<string, readonly string[]> = {
  edm2: ['backend-wasm', 'backend-gpujs', 'backend-webgpu'],
};
const backendMayImport: readonly string[] = ['tensor'];

/** Packages of others that a package may import. */
const foreignPackages: Record<string, readonly string[]> = {
  tensor: ['ndarray'],
  formats: ['fast-png', 'fflate'],
  'backend-gpujs': ['gpu.js'],
};
/** Added for `src/testing`, which the package's main entry must not reach. */
const foreignInTesting: readonly string[] = ['fast-check'];
/**
 * Folders of `src` that need Node: an entry of its own, and programs. What such a folder may import besides; no other
 * folder may import it, because the rest runs in browsers.
 */
const nodeFolders: Record<string, readonly string[]> = {
  node: ['node:'],
  cli: ['node:', 'commander', 'picocolors'],
  quickstart: ['node:', 'commander', 'picocolors'],
  conformance: ['node:', 'commander', 'picocolors'],
};

/** The folders of packages/tensor/src from top to bottom: each imports only what stands below it. */
const tensorFolders = [
  'autograd', // written in Tensor operations
  'tensor',
  'debug',
  'runtime', // knows no Tensor
  'backend-js',
  'schedule',
  'kernel',
  'graph',
  'types',
];
/** An implementation names the interface it meets, as a type. */
const upwardTypes = [{ from: 'backend-js', to: 'runtime/backend.ts' }];

interface SourceFile {
  package: string;
  /** Path inside the package's `src`, with forward slashes. */
  path: string;
  imports: Import[];
}

const root = join(import.meta.dirname, '..');
const packageNames = readdirSync(join(root, 'packages'));

function sourcesOf(name: string): SourceFile[] {
  const src = join(root, 'packages', name, 'src');
  return readdirSync(src, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => {
      const file = join(entry.parentPath, entry.name);
      const path = relative(src, file).split(sep).join('/');
      return { package: name, path, imports: importsOf(readFileSync(file, 'utf8')) };
    });
}

/** What is wrong with one import, or undefined. */
function complaint(file: SourceFile, { specifier, typeOnly }: Import): string | undefined {
  if (specifier.startsWith('.')) return relativeComplaint(file, specifier, typeOnly);
  const own = /^@evenkeel\/([^/]+)(?:\/(testing|node))?/.exec(specifier);
  const folder = folderOf(file.path);
  const inTesting = folder === 'testing';
  const inNode = nodeFolders[folder];
  if (own !== null) {
    const inProgram = inNode !== undefined && folder !== 'node';
    const order = [
      ...(packageOrder[file.package] ?? []),
      ...(inProgram ? (backendsOfPrograms[file.package] ?? []) : []),
    ];
    const allowed = file.package.startsWith('backend-') ? backendMayImport : order;
    if (!allowed.includes(own[1] ?? '')) return 'points against the dependency direction';
    if (own[2] === 'node' && inNode === undefined) return 'brings Node into what runs in browsers';
    return own[2] === 'testing' && !inTesting ? 'brings test code into the package' : undefined;
  }
  if (typeOnly && specifier.startsWith('node:')) return undefined;
  const allowed = [...(foreignPackages[file.package] ?? []), ...(inTesting ? foreignInTesting : []), ...(inNode ?? [])];
  const known = allowed.some(
    (name) => specifier === name || specifier.startsWith(name.endsWith(':') ? name : `${name}/`),
  );
  return known ? undefined : 'is not among the packages it may import';
}

/** The folder of `src` that a file is in; empty for a file of `src` itself. */
function folderOf(path: string): string {
  return path.includes('/') ? (path.split('/')[0] ?? '') : '';
}

function relativeComplaint(file: SourceFile, specifier: string, typeOnly: boolean): string | undefined {
  const target = join(dirname(file.path), specifier).split(sep).join('/');
  if (target.startsWith('../')) return 'reaches outside the package: import other packages by name';
  const [from, to] = [folderOf(file.path), folderOf(target)];
  if (from === 'testing') return undefined;
  if (to === 'testing') return 'brings test code into the package';
  if (to in nodeFolders && !(from in nodeFolders)) return 'brings Node into what runs in browsers';
  if (file.package !== 'tensor' || from === '' || from === to) return undefined;
  if (typeOnly && upwardTypes.some((rule) => rule.from === from && rule.to === target)) return undefined;
  const [above, below] = [tensorFolders.indexOf(from), tensorFolders.indexOf(to)];
  if (above === -1 || below === -1)
    return `is between folders of which one is not in the order (${from}, ${to || 'index'})`;
  return above < below ? undefined : `points upward: ${from} stands below ${to}`;
}

function complaints(files: SourceFile[]): string[] {
  return files.flatMap((file) =>
    file.imports.flatMap((imported) => {
      const reason = complaint(file, imported);
      return reason === undefined ? [] : [`${file.package}/src/${file.path}: '${imported.specifier}' ${reason}`];
    }),
  );
}

describe('every import follows the order', () => {
  test.each(packageNames)('%s', (name) => {
    const files = sourcesOf(name);
    expect(files.length).toBeGreaterThan(0);
    expect(complaints(files)).toEqual([]);
  });

  test('every folder of tensor has its place in the order', () => {
    const folders = readdirSync(join(root, 'packages/tensor/src'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== 'testing')
      .map((entry) => entry.name);
    expect(folders.filter((folder) => !tensorFolders.includes(folder))).toEqual([]);
  });
});

describe('every manifest follows the order', () => {
  test.each(packageNames)('%s', (name) => {
    const manifest = JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')) as {
      dependencies?: Record<string, string>;
      devDependencies?: Record<string, string>;
      peerDependencies?: Record<string, string>;
    };
    // A backend that a program only offers is not installed with it: it is among what development needs.
    const offered = (backendsOfPrograms[name] ?? []).map((backend) => `@evenkeel/${backend}`);
    const inDevelopment = Object.keys(manifest.devDependencies ?? {}).filter((other) => offered.includes(other));
    const installed = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
    const declared = new Set([...installed, ...inDevelopment]);
    const used = new Set(
      sourcesOf(name)
        .flatMap((file) => file.imports.map((imported) => imported.specifier))
        .filter((specifier) => !specifier.startsWith('.') && !specifier.startsWith('node:'))
        .map((specifier) =>
          specifier
            .split('/')
            .slice(0, specifier.startsWith('@') ? 2 : 1)
            .join('/'),
        ),
    );
    expect([...used].filter((specifier) => !declared.has(specifier))).toEqual([]);

    const order = packageOrder[name] && [...packageOrder[name], ...(backendsOfPrograms[name] ?? [])];
    const allowed = name.startsWith('backend-') ? backendMayImport : order;
    const own = [...declared].filter((d) => d.startsWith('@evenkeel/')).map((d) => d.slice('@evenkeel/'.length));
    expect(own.filter((d) => !allowed?.includes(d))).toEqual([]);
  });

  test.each(packageNames)('%s: each exports entry has its source', (name) => {
    const folder = join(root, 'packages', name);
    const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { exports: object };
    const { compilerOptions } = JSON.parse(readFileSync(join(root, 'tsconfig.base.json'), 'utf8')) as {
      compilerOptions: { paths: Record<string, [string]> };
    };
    for (const entry of Object.keys(exports).filter((key) => key !== './package.json')) {
      expect(existsSync(join(folder, 'src', entry, 'index.ts')), entry).toBe(true);
      const path = compilerOptions.paths[join(`@evenkeel/${name}`, entry).split(sep).join('/')];
      expect(path, `tsconfig.base.json paths for ${entry}`).toEqual([
        `./${['packages', name, 'src', ...entry.split('/').slice(1), 'index.ts'].join('/')}`,
      ]);
    }
  });
});

describe('the check itself', () => {
  const check = (name: string, path: string, source: string) =>
    complaints([{ package: name, path, imports: importsOf(source) }]).length;

  test.each([
    ['nn', 'linear.ts', "import { mpSum } from '@evenkeel/mp-nn';"],
    ['tensor', 'index.ts', "export * from '@evenkeel/nn';"],
    ['backend-wasm', 'index.ts', "import { Module } from '@evenkeel/nn';"],
    ['mp-nn', 'index.ts', "import { read } from '@evenkeel/formats';"],
    ['nn', 'linear.ts', "import { gradcheck } from '@evenkeel/tensor/testing';"],
    ['nn', 'linear.ts', "import { Tensor } from '../../tensor/src/index.ts';"],
    ['nn', 'linear.ts', "import fc from 'fast-check';"],
    ['tensor', 'index.ts', "import { readFileSync } from 'node:fs';"],
    ['edm2', 'network/unet.ts', "import { readFileSync } from 'node:fs';"],
    ['edm2', 'network/unet.ts', "import { wasm } from '@evenkeel/backend-wasm';"],
    ['edm2', 'network/unet.ts', "import { progress } from '../quickstart/progress.ts';"],
    ['edm2', 'network/unet.ts', "import { writeFileAtomically } from '@evenkeel/formats/node';"],
    ['nn', 'linear.ts', "import { Command } from 'commander';"],
    ['tensor', 'index.ts', "export * from './testing/index.ts';"],
    ['tensor', 'graph/node.ts', "import {\n  a,\n  b,\n} from '../tensor/tensor.ts';"],
    ['tensor', 'graph/node.ts', "import type { Tensor } from '../tensor/tensor.ts';"],
    ['tensor', 'graph/node.ts', "const late = await import('../kernel/ir.ts');"],
    ['tensor', 'backend-js/backend.ts', "import { Refused } from '../runtime/backend.ts';"],
    ['tensor', 'graph/node.ts', "import '../index.ts';"],
  ])('refuses %s/%s: %s', (name, path, source) => {
    expect(check(name, path, source)).toBe(1);
  });

  test.each([
    ['edm2', 'index.ts', "import { Linear } from '@evenkeel/nn';"],
    ['edm2', 'quickstart/main.ts', "import { wasm } from '@evenkeel/backend-wasm';"],
    ['edm2', 'data/asset.ts', "const fs = (await lazily('fs')) as typeof import('node:fs');"],
    ['edm2', 'quickstart/main.ts', "import { join } from 'node:path';\nimport { x } from '@evenkeel/formats/node';"],
    ['tensor', 'autograd/rules.ts', "import { Tensor } from '../tensor/tensor.ts';"],
    ['tensor', 'backend-js/backend.ts', "import type { Backend } from '../runtime/backend.ts';"],
    ['tensor', 'testing/index.ts', "import fc from 'fast-check';\nimport { grad } from '../autograd/grad.ts';"],
    [
      'tensor',
      'graph/node.ts',
      "/**\n * import { Tensor } from '../tensor/tensor.ts';\n */\n// import '../tensor/x.ts';",
    ],
  ])('accepts %s/%s: %s', (name, path, source) => {
    expect(check(name, path, source)).toBe(0);
  });
});
