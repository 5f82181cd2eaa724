import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tensor, zeros } from '@evenkeel/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleSources } from '../scripts/bundle-sources.mjs';
import { parseClaim, says } from './claims.ts';
import { root } from './code-blocks.ts';
import { type DocExample, examplesOf, relocate } from './doc-examples.ts';
import { programOf } from './example-programs.ts';
import { type Exported, entries, exportsOf, sourceFiles } from './public-names.ts';
import { typeErrors } from './type-check.ts';

const examples = sourceFiles().flatMap((file) => examplesOf(file));
/** Ignored by git. Not below node_modules, where the names of our packages would mean their builds. */
const sources = join(root, 'out', 'doc-examples');
const packageOf = ({ file }: DocExample) => file.split('/')[1];
const moduleOf = ({ name }: DocExample) => join(sources, 'dist', `${name}.mjs`);
/** Examples run here: what they write stays out of the repository. */
const scratch = mkdtempSync(join(tmpdir(), 'evenkeel-doc-examples-'));
/** For all examples of a package; a busy machine may take longer than the seconds that they take. */
const longest = 150_000;

/** Those that programs could be made of. */
const programs: DocExample[] = [];
/** What is wrong with an example, by its module; empty for one that ran. */
const complaints = new Map<string, string>();

beforeAll(async () => {
  rmSync(sources, { recursive: true, force: true });
  mkdirSync(sources, { recursive: true });
  for (const example of examples) {
    try {
      writeFileSync(join(sources, `${example.name}.ts`), programOf(example, sources));
      programs.push(example);
    } catch (error) {
      complaints.set(moduleOf(example), (error as Error).message);
    }
  }
  const modules = Object.fromEntries(programs.map(({ name }) => [name, join(sources, `${name}.ts`)]));
  await bundleSources({ run: join(root, 'test', 'run-doc-examples.ts'), ...modules }, join(sources, 'dist')).catch(
    (error: Error) => {
      throw new Error(relocate(error.message, examples));
    },
  );
  const packages = new Set(programs.map(packageOf));
  await Promise.all([...packages].map((name) => run(programs.filter((example) => packageOf(example) === name))));
}, longest + 30_000);

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Runs examples in one process. */
async function run(group: readonly DocExample[]): Promise<void> {
  const child = fork(join(sources, 'dist', 'run.mjs'), group.map(moduleOf), {
    cwd: scratch,
    execArgv: ['--enable-source-maps'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    timeout: longest,
  });
  child.on('message', ({ module, complaint }: { module: string; complaint: string }) => {
    complaints.set(module, complaint);
  });
  await Promise.all([once(child, 'exit'), once(child, 'disconnect')]); // until then messages may come
}

describe('every example in a doc comment runs and is what it says', () => {
  test.each(examples.map((example) => [example.place, example] as const))('%s', (_, example) => {
    const complaint = complaints.get(moduleOf(example)) ?? 'did not run to its end';
    expect(relocate(complaint, examples)).toBe('');
  });

  test('all of them pass the type checker', () => {
    const errors = typeErrors(
      sources,
      programs.map(({ name }) => `${name}.ts`),
    );
    expect(relocate(errors, examples)).toBe('');
  });
});

describe('public names are explained', () => {
  test.each(entries().map((entry) => [entry.specifier, entry.file]))('%s', (_, file) => {
    const names = [...exportsOf(file).values()];
    expect(names.length).toBeGreaterThan(0);
    const wantsExample = ({ kind }: Exported) => kind === 'function' || kind === 'class';
    const isExplained = (name: Exported) =>
      !/^(@|$)/.test(name.doc) && (!wantsExample(name) || name.doc.includes('@example'));
    expect(
      names.filter((name) => !isExplained(name)).map(({ name, file, line }) => `${name} (${file}:${line})`),
    ).toEqual([]);
  });
});

describe('the check itself', () => {
  const comment = [
    '  /**',
    '   * Adds.',
    '   *',
    '   * @example',
    '   * ```ts',
    '   * const x = tensor([1, 2]);',
    '   * x.sum(); // [], a scalar',
    '   * ```',
    '   * @example sum(1); // 1',
    '   * @throws never',
    '   */',
  ].join('\n');

  test('finds examples, fenced or not, and their places', () => {
    expect(examplesOf('packages/nn/src/a/b.ts', comment).map(({ place, name, code }) => [place, name, code])).toEqual([
      ['packages/nn/src/a/b.ts:6', 'nn-a-b-6', 'const x = tensor([1, 2]);\nx.sum(); // [], a scalar\n'],
      ['packages/nn/src/a/b.ts:9', 'nn-a-b-9', 'sum(1); // 1\n'],
    ]);
  });

  const programOfCode = (code: string) => programOf({ ...exampleOf('nn'), code }, sources).split('\n');
  const exampleOf = (name: string) => examples.find(({ file }) => file.startsWith(`packages/${name}/`)) as DocExample;

  test('imports what an example uses and does not declare, its own package first', () => {
    const [imports = ''] = programOfCode('const { zeros, y: ones } = f(new Linear(2, 3)); full([2], x.eye);\n');
    expect(imports).toContain("import { Linear } from '@evenkeel/nn';");
    expect(imports).toContain("import { full } from '@evenkeel/tensor';");
    expect(imports).not.toMatch(/zeros|ones|eye/);
  });

  test.each([
    ['f(1); // [2, 3]', 'await says(f(1), "[2, 3]");'],
    ['const x = f({ a: 1 }); // 2, exactly', 'const x = await says(f({ a: 1 }), "2, exactly");'],
    ['const [a] = f(); // true', 'const [a] = await says(f(), "true");'],
    ['f(1); // drawn once', 'f(1); // drawn once'],
    ['f(1);', 'f(1);'],
  ])('%s becomes %s', (line, checked) => {
    expect(programOfCode(line)[1]).toBe(checked);
  });

  test.each(['  f(1); // 2', '); // [2, 3]', 'if (f) g(); // 1', 'return 1; // 1', '// [2, 3]', 'f(1), // 3'])(
    'a value is not claimed where it would not be checked: %s',
    (line) => {
      expect(() => programOfCode(line)).toThrow(/is not checked here/);
    },
  );

  test.each<[unknown, string]>([
    [zeros([2, 3]), '[2, 3]'],
    [tensor([1, 2.5]), '[1, 2.5], halves'],
    [tensor([1 / 3]), '[0.3333]'],
    [0.1 + 0.2, '0.3'],
    [new Float32Array([1]), 'Float32Array [1]'],
    [Promise.resolve('a, b'), "'a, b', text"],
    [{ images: zeros([2, 3]), more: 1 }, '{ images: [2, 3] }'],
    [[true, undefined], '[true, undefined]'],
    [2 ** -24, '2 ** -24'],
  ])('%o is %s', async (value, claim) => {
    expect(await says(value, claim)).toBe(await value);
  });

  test.each<[unknown, string]>([
    [zeros([2, 3]), '[3, 2]'],
    [tensor([1, 2.5]), '[1, 2.6]'],
    [tensor([1 / 3]), '[0.3334]'],
    [0.34, '0.3'],
    [0.3001, '0.3'],
    [3.1, '3'],
    [new Float64Array([1]), 'Float32Array [1]'],
    [[1, 2], '[1]'],
    [{ images: zeros([2, 3]) }, '{ images: [2, 3], labels: [2] }'],
    [undefined, 'null'],
    ['1', '1'],
  ])('%o is not %s', async (value, claim) => {
    await expect(says(value, claim)).rejects.toThrow(/^says /);
  });

  test.each(['[N, 64]', '4 rows', '[1, 2'])('%s can be neither right nor wrong', (claim) => {
    expect(() => parseClaim(claim)).toThrow(/starts like a value/);
  });

  test('places in programs become places in sources', () => {
    const example = exampleOf('nn');
    expect(relocate(`at f (/x/out/doc-examples/${example.name}.ts:3:9)`, examples)).toBe(
      `at f (${example.file}:${example.line + 1}:9)`,
    );
    expect(relocate('at /x/test/claims.ts:3:9', examples)).toBe('at /x/test/claims.ts:3:9');
  });
});
