import { join, relative, sep } from 'node:path';
import { isClaim } from './claims.ts';
import { root } from './code-blocks.ts';
import type { DocExample } from './doc-examples.ts';
import { type Entry, entries, exportsOf } from './public-names.ts';

/**
 * An example as a program: line 1 imports what it uses by a public name and did not import itself, line 2 is its first.
 * What a comment behind an expression says that it is, is checked. Throws where a comment says it in a place that
 * cannot be.
 */
export function programOf(example: DocExample, folder: string): string {
  const lines = example.code.trimEnd().split('\n');
  const checked = lines.map((line, i) => withCheck(line, `${example.file}:${example.line + i}`));
  const imports = [`import { says } from '${pathFrom(folder, 'test/claims.ts')}';`, ...importsFor(example, folder)];
  return `${imports.join(' ')}\n${checked.join('\n')}\nexport { says };\n`;
}

/** A specifier for a file of the repository. */
function pathFrom(folder: string, file: string): string {
  return relative(folder, join(root, file)).split(sep).join('/');
}

/** A statement in one line: what it declares, if anything, and its expression. */
const statement =
  /^(?<start>(?:const|let|using) (?:\w+|[[{][^=]*[\]}]) = )?(?!(?:if|for|while|return|class|function)\b)(?<expression>[^\s})\]].*); $/;

function withCheck(line: string, place: string): string {
  const at = / \/\/ |^\s*\/\/ /.exec(line);
  if (at === null) return line;
  const comment = line.slice(at.index + at[0].length);
  if (!isClaim(comment)) return line;
  const { start = '', expression } = statement.exec(line.slice(0, at.index + 1))?.groups ?? {};
  if (expression !== undefined && isBalanced(expression)) {
    return `${start}await says(${expression}, ${JSON.stringify(comment)});`;
  }
  throw new Error(
    `${place}: '${comment}' is not checked here: write it behind an expression in one line, not indented`,
  );
}

function isBalanced(code: string): boolean {
  const depth = (open: string, close: string) => code.split(open).length - code.split(close).length;
  return depth('(', ')') === 0 && depth('[', ']') === 0 && depth('{', '}') === 0;
}

/** Import statements for the public names in an example; names that only its own file exports come from there. */
function importsFor(example: DocExample, folder: string): string[] {
  const code = example.code.replace(/\/\/.*$/gm, '').replace(/'[^'\n]*'/g, "''");
  const used = new Set(Array.from(code.matchAll(/(?<![\w$]|(?<!\.\.)\.)[A-Za-z_$][\w$]*(?!:)\b/g), ([name]) => name));
  for (const name of declaredIn(code)) used.delete(name);
  const own = example.file.split('/')[1] as string;
  const statements: string[] = [];
  const internal = { specifier: pathFrom(folder, example.file), package: own, file: example.file };
  // What two entries export is taken from the nearer one: its own package's, then main entries before others.
  const distance = (entry: Entry) => (entry.package === own ? 0 : 2) + (entry.specifier.split('/').length > 2 ? 1 : 0);
  const near = entries().sort((a, b) => distance(a) - distance(b));
  const others = near.findIndex((entry) => entry.package !== own);
  for (const entry of [...near.slice(0, others), internal, ...near.slice(others)]) {
    const names: string[] = [];
    for (const { name, kind } of exportsOf(entry.file).values()) {
      if (!used.delete(name)) continue;
      names.push(kind === 'interface' || kind === 'type' ? `type ${name}` : name);
    }
    if (names.length > 0) statements.push(`import { ${names.join(', ')} } from '${entry.specifier}';`);
  }
  return statements;
}

/** Names that the code declares itself, wherever, or imports. */
function declaredIn(code: string): string[] {
  const single = code.matchAll(/\b(?:const|let|using|function|class|import)\s+(\w+)/g);
  const patterns = code.matchAll(/\b(?:const|let|import(?:\s+type)?)\s+([[{][^=;]*?[\]}])\s*(?:=|of|from)/g);
  const inPatterns = Array.from(patterns, ([, pattern = '']) =>
    Array.from(pattern.replace(/\w+\s*(?::|\bas\b)/g, '').matchAll(/\w+/g), ([name]) => name),
  );
  return [...Array.from(single, ([, name = '']) => name), ...inPatterns.flat()];
}
