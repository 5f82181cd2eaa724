import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './code-blocks.ts';

/** An `@example` of a doc comment. */
export interface DocExample {
  /** `packages/nn/src/layers/linear.ts:9`, the line of its first line of code. */
  readonly place: string;
  readonly file: string;
  readonly line: number;
  /** Usable as a file name, unique among all examples. */
  readonly name: string;
  readonly code: string;
}

/** The examples in a source's doc comments, in order, fenced or not. */
export function examplesOf(file: string, text = readFileSync(join(root, file), 'utf8')): DocExample[] {
  const found: DocExample[] = [];
  for (const comment of text.matchAll(/^[ \t]*\/\*\*(?:(?!\*\/)[\s\S])*\*\//gm)) {
    for (const example of comment[0].matchAll(/@example(?<code>(?:(?!\n[ \t]*\*[ \t]*@\w)[\s\S])*)/g)) {
      const { code: raw = '' } = example.groups ?? {};
      const lines = raw.split('\n').map((line, i) => (i === 0 ? line : unframed(line)));
      const isCode = (line: string) => line.trim() !== '' && !line.startsWith('```');
      const [first, last] = [lines.findIndex(isCode), lines.findLastIndex(isCode)];
      const code = lines.slice(Math.max(first, 0), last + 1).join('\n');
      const line = text.slice(0, comment.index + example.index).split('\n').length + first;
      const name = `${file.replace(/^packages\/|src\/|\.ts$/g, '').replaceAll('/', '-')}-${line}`;
      found.push({ place: `${file}:${line}`, file, line, name, code: `${code.trim()}\n` });
    }
  }
  return found;
}

/** A line of a comment without the star before it, or the end behind it. */
function unframed(line: string): string {
  return line.replace(/^[ \t]*\*\/.*|[ \t]*\*\/[ \t]*$/, '').replace(/^[ \t]*\* ?/, '');
}

/** Writes places in the programs of examples as places in the sources. */
export function relocate(text: string, examples: readonly DocExample[]): string {
  const byName = new Map(examples.map((example) => [example.name, example]));
  return text.replace(/[^\s(]*?([\w-]+)\.ts[:(](\d+)/g, (whole, name: string, line: string) => {
    const example = byName.get(name);
    return example === undefined ? whole : `${example.file}:${example.line + Number(line) - 2}`;
  });
}
