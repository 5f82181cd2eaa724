import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type BuildOptions, build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const options: BuildOptions = {
  entryPoints: [here('../src/data/emoji16.ts')],
  alias: { '@evenkeel/formats': here('../../formats/src/index.ts') },
  bundle: true,
  format: 'esm',
  target: 'es2022',
  logLevel: 'silent',
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('a bundle in dist finds the pictures beside it', async () => {
  const bundle = join(folder, 'dist', 'chunk.js');
  await build({ ...options, platform: 'neutral', mainFields: ['module', 'main'], outfile: bundle });
  cpSync(here('../assets'), join(folder, 'assets'), { recursive: true });
  const program = `
    const { loadEmoji16 } = await import(${JSON.stringify(pathToFileURL(bundle).href)});
    const emoji = await loadEmoji16();
    console.log(emoji.length, emoji.classNames[emoji.label(2089)], emoji.image(0).length);`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  expect(output).toBe('2090 clock 768\n');
});

test('bundles for browsers without naming a module of Node', async () => {
  const { outputFiles, errors } = await build({ ...options, platform: 'browser', write: false });
  expect(errors).toEqual([]);
  expect(outputFiles?.[0]?.text).not.toMatch(/(from|import\(|require\()\s*["'](node:|fs)/);
});
