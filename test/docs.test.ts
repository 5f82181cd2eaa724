import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleSources } from '../scripts/bundle-sources.mjs';
import { codeBlocks, difference, isAsSaid, pages, root } from './code-blocks.ts';
import { typeErrors } from './type-check.ts';

const blocks = pages().flatMap((page) => codeBlocks(page));
/** Ignored by git. Not below node_modules, where the names of our packages would mean their builds. */
const sources = join(root, 'out', 'docs-test');
const sourceOf = (name: string) => join(sources, `${name}.ts`);

/** Programs take seconds; a busy machine may take longer. */
const longest = 150_000;
/** Programs run here: what they write stays out of the repository. */
const scratch = mkdtempSync(join(tmpdir(), 'evenkeel-docs-'));

beforeAll(async () => {
  rmSync(sources, { recursive: true, force: true });
  mkdirSync(sources, { recursive: true });
  // With an `export`, a block without imports is a module too and may await.
  for (const { name, code } of blocks) writeFileSync(sourceOf(name), `${code}export {};\n`);
  await bundleSources(Object.fromEntries(blocks.map(({ name }) => [name, sourceOf(name)])), join(sources, 'dist'));
});

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('every program in the docs runs and prints what it says', () => {
  test('each page has one', () => {
    expect(pages().filter((page) => codeBlocks(page).length === 0)).toEqual([]);
  });

  test.each(blocks.map((block) => [block.place, block] as const))(
    '%s',
    (_, { name, prints, warns, shown }) => {
      const program = join(sources, 'dist', `${name}.mjs`);
      const {
        status,
        stdout,
        stderr: told,
      } = spawnSync(process.execPath, ['--enable-source-maps', program], {
        cwd: scratch,
        encoding: 'utf8',
        timeout: longest,
      });
      // Where a machine has no graphics driver, the library that looks for one says so by itself.
      const stderr = told.replace(/^Warning: .*(?:vk|vulkan).*\n(?: {4}at .*\n)*\n?/gim, '');
      expect(status, stderr).toBe(0);
      expect(isAsSaid(stderr, warns), `says it warns:\n${warns.join('\n')}\nbut did:\n${stderr}`).toBe(true);
      if (prints.length > 0) {
        expect(isAsSaid(stdout, prints), `says it prints:\n${prints.join('\n')}\nbut did:\n${stdout}`).toBe(true);
      }
      if (shown !== undefined) expect(difference(stdout, shown), `prints:\n${stdout}`).toBeLessThan(0.05);
    },
    longest + 5_000,
  );

  test('all of them pass the type checker', () => {
    const files = blocks.map(({ name }) => `${name}.ts`);
    expect(typeErrors(sources, files)).toBe('');
  });
});

describe('links in the docs', () => {
  test.each(pages())('%s', (page) => {
    const targets = [...readFileSync(join(root, page), 'utf8').matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(
      (m) => m[1] ?? '',
    );
    const local = targets.filter((target) => !/^\w+:/.test(target));
    expect(local.filter((target) => !existsSync(join(root, dirname(page), target)))).toEqual([]);
  });
});

describe('the check itself', () => {
  test('finds blocks, their places and what they say', () => {
    const text = 'Words.\n\n```ts\nf(); // prints: 1 … 3\ng(); // warns: careful\n```\n\n```sh\nls\n```\n';
    expect(codeBlocks('docs/page.md', text)).toEqual([
      {
        place: 'docs/page.md:4',
        name: 'docs-page-4',
        code: 'f(); // prints: 1 … 3\ng(); // warns: careful\n',
        prints: ['1 … 3'],
        warns: ['careful'],
      },
    ]);
  });

  test('takes a block of text right behind a program as its output', () => {
    const text = '```ts\nf();\n```\n\n```text\n1\n2\n```\n\n```ts\ng();\n```\n\nWords.\n\n```text\n3\n```\n';
    expect(codeBlocks('README.md', text).map(({ shown }) => shown)).toEqual(['1\n2\n', undefined]);
    expect(difference('1\n2\n', '1\n2\n')).toBe(0);
    expect(difference('1\n3\n', '1\n2\n')).toBeCloseTo(1 / 3);
    expect(difference('', '1\n2\n')).toBe(1);
  });

  test.each([
    ['a (1)\nb\n', ['a (1)', 'b'], true],
    ['took 3.2 ms\n', ['took … ms'], true],
    ['', [], true],
    ['a\n', [], false],
    ['a\nb\n', ['a'], false],
    ['b\na\n', ['a', 'b'], false],
    ['a (2)\n', ['a (1)'], false],
    ['took 3.2 s\n', ['took … ms'], false],
  ])('%j against %j: %j', (output, expected, verdict) => {
    expect(isAsSaid(output, expected)).toBe(verdict);
  });
});
