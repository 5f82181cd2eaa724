import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A program in a page: what stands between ```ts and ```. */
export interface CodeBlock {
  /** `docs/tutorial.md:12`, the line of its first line of code. */
  readonly place: string;
  /** Usable as a file name, unique among all blocks. */
  readonly name: string;
  readonly code: string;
  /** Lines that it says it prints. */
  readonly prints: readonly string[];
  /** Lines that it says it writes to the error output. */
  readonly warns: readonly string[];
  /** All of its output, where a block of text right behind it shows it. */
  readonly shown?: string;
}

export const root = fileURLToPath(new URL('..', import.meta.url));

/** README.md, those of the packages and the pages of docs/. */
export function pages(): string[] {
  const packages = readdirSync(join(root, 'packages'));
  const docs = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
  return ['README.md', ...packages.map((name) => `packages/${name}/README.md`), ...docs.map((name) => `docs/${name}`)];
}

/** The programs of a page, in order. */
export function codeBlocks(page: string, text = readFileSync(join(root, page), 'utf8')): CodeBlock[] {
  const programs = text.matchAll(/^```ts\n([\s\S]*?)^```$(?:\n\n```text\n([\s\S]*?)^```$)?/gm);
  return [...programs].map(({ 1: code = '', 2: shown, index }) => {
    const line = text.slice(0, index).split('\n').length + 1;
    return {
      place: `${page}:${line}`,
      name: `${page.replace(/\.md$/, '').replaceAll('/', '-').toLowerCase()}-${line}`,
      code,
      prints: said(code, 'prints'),
      warns: said(code, 'warns'),
      ...(shown === undefined ? {} : { shown }),
    };
  });
}

/** What stands after `// prints: ` at the end of lines, in order. */
function said(code: string, what: string): string[] {
  return [...code.matchAll(new RegExp(`// ${what}: (.*)$`, 'gm'))].map(({ 1: text = '' }) => text.trimEnd());
}

/** Whether the output's lines are those expected, in order; an ellipsis stands for any text. */
export function isAsSaid(output: string, expected: readonly string[]): boolean {
  const lines = output.split('\n').map((line) => line.trimEnd());
  while (lines.at(-1) === '') lines.pop();
  if (lines.length !== expected.length) return false;
  return expected.every((text, i) => {
    const pattern = text.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    return new RegExp(`^${pattern.join('.*')}$`).test(lines[i] as string);
  });
}

/** Share of characters that differ: training on another machine rounds differently here and there. */
export function difference(output: string, shown: string): number {
  const [a, b] = [output.trimEnd(), shown.trimEnd()];
  const length = Math.max(a.length, b.length);
  let differing = 0;
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) differing++;
  return differing / length;
}
