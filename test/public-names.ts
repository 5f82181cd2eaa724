import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { root } from './code-blocks.ts';

/** A name that a file exports, and where it is declared. */
export interface Exported {
  readonly name: string;
  readonly kind: 'function' | 'class' | 'const' | 'interface' | 'type';
  /** Path from the repository's root, with forward slashes. */
  readonly file: string;
  /** Of the declaration, or of the comment on it. */
  readonly line: number;
  /** The doc comment, without its frame; empty where there is none. */
  readonly doc: string;
}

/** What users import: the specifier, and the file behind it, as the table in tsconfig.base.json has them. */
export interface Entry {
  readonly specifier: string;
  readonly package: string;
  readonly file: string;
}

/** Every entry of every package. */
export function entries(): Entry[] {
  const { compilerOptions } = JSON.parse(readFileSync(join(root, 'tsconfig.base.json'), 'utf8')) as {
    compilerOptions: { paths: Record<string, [string]> };
  };
  return Object.entries(compilerOptions.paths).map(([specifier, [path]]) => ({
    specifier,
    package: specifier.split('/')[1] as string,
    file: posix.normalize(path),
  }));
}

/** Paths of the sources of all packages, from the repository's root. */
export function sourceFiles(): string[] {
  return readdirSync(join(root, 'packages')).flatMap((name) =>
    readdirSync(join(root, 'packages', name, 'src'), { recursive: true, encoding: 'utf8' })
      .map((path) => posix.join('packages', name, 'src', path.replaceAll('\\', '/')))
      .filter((path) => path.endsWith('.ts')),
  );
}

const declaration =
  /^(?<doc>\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n(?:\/\/.*\n)*)?export (?:abstract |async )*(?<kind>function|class|const|interface|type)\*? (?<name>\w+)/gm;
const reexport = /^export (?<typeOnly>type )?(?:\*|\{(?<names>[^}]*)\})(?: from '(?<path>[^']+)')?;/gm;

const cache = new Map<string, ReadonlyMap<string, Exported>>();

/** What a file exports, by name, through however many files that hand on. */
export function exportsOf(file: string): ReadonlyMap<string, Exported> {
  const known = cache.get(file);
  if (known !== undefined) return known;
  const text = readFileSync(join(root, file), 'utf8');
  const found = new Map<string, Exported>();
  for (const { index, groups = {} } of text.matchAll(declaration)) {
    const { doc = '', kind, name = '' } = groups;
    if (found.has(name)) continue; // an overload: the first one has the comment
    const line = text.slice(0, index).split('\n').length;
    found.set(name, { name, kind: kind as Exported['kind'], file, line, doc: withoutFrame(doc) });
  }
  for (const { groups = {} } of text.matchAll(reexport)) {
    const { names, path } = groups;
    if (path === undefined) continue;
    const source = exportsOf(posix.join(dirname(file), path));
    const wanted = names === undefined ? [...source.keys()] : names.split(',').map(nameIn).filter(Boolean);
    for (const name of wanted) found.set(name, source.get(name) as Exported);
  }
  cache.set(file, found);
  return found;
}

function nameIn(specifier: string): string {
  return specifier.trim().replace(/^type /, '');
}

function withoutFrame(comment: string): string {
  return comment
    .replace(/^\/\*\*|\*\/[\s\S]*$/g, '')
    .replace(/^[ \t]*\* ?/gm, '')
    .trim();
}
