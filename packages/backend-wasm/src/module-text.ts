import { disassemble, type Names } from './disassembler.ts';
import type { FunctionBuilder, FunctionType, ModuleBuilder } from './encoder.ts';

const signature = ({ parameters, results = [] }: FunctionType): string =>
  [
    ...(parameters.length > 0 ? [`(param ${parameters.join(' ')})`] : []),
    ...(results.length > 0 ? [`(result ${results.join(' ')})`] : []),
  ].join(' ');

/** A module in the text format of WebAssembly, for people. */
export function moduleText(module: ModuleBuilder): string {
  const { types, imports, memory, functions, globals, exports, data } = module.contents;
  const lines = types.map((type) => `  (type (func ${signature(type)}))`);
  imports.forEach((imported, i) => {
    lines.push(
      `  (import "${imported.module}" "${imported.name}" (func ${calleeName(module, i)} (type ${imported.type})))`,
    );
  });
  if (memory) {
    const { initial, maximum, shared } = memory;
    const limits = `${initial} ${maximum}${shared ? ' shared' : ''}`;
    lines.push(`  (import "${memory.module}" "${memory.name}" (memory ${limits}))`);
  }
  lines.push(...functions.map((f) => indent(functionText(module, f))));
  for (const { type, mutable, initial } of globals) {
    lines.push(`  (global ${mutable ? `(mut ${type})` : type} (${type}.const ${initial}))`);
  }
  for (const { name, kind, index } of exports) {
    lines.push(`  (export "${name}" (${kind === 0 ? `func ${calleeName(module, index)}` : `global ${index}`}))`);
  }
  for (const { offset, bytes } of data) {
    const text = [...bytes].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
    lines.push(`  (data (i32.const ${offset}) "${text}")`);
  }
  return ['(module', ...lines, ')'].join('\n');
}

/** Functions from the one with this number on in the text format of WebAssembly. */
export function functionTexts(module: ModuleBuilder, from: number): string {
  const { functions, imports } = module.contents;
  return functions
    .slice(from - imports.length)
    .map((f) => functionText(module, f))
    .join('\n');
}

function functionText(module: ModuleBuilder, f: FunctionBuilder): string {
  const { types, functionNames } = module.contents;
  const type = types[f.typeNumber] as FunctionType;
  const given = functionNames.get(f.index)?.parameters ?? [];
  const localTypes = [...type.parameters, ...f.localTypes];
  const locals = localTypes.map((local, i) => `$${given[i] ?? `${local[0]}${i}`}`);
  const declare = (word: string, from: number, to: number): string =>
    locals
      .slice(from, to)
      .map((name, i) => ` (${word} ${name} ${localTypes[from + i]})`)
      .join('');
  const count = type.parameters.length;
  const results = signature({ parameters: [], results: type.results ?? [] });
  const head = `(func ${calleeName(module, f.index)} (type ${f.typeNumber})${declare('param', 0, count)}${results && ` ${results}`}`;
  const names: Names = {
    local: (index) => locals[index] as string,
    callee: (index) => calleeName(module, index),
    global: String,
  };
  const declared = declare('local', count, locals.length);
  return [head, ...(declared ? [` ${declared}`] : []), ...disassemble(f.code, names), ')'].join('\n');
}

function calleeName(module: ModuleBuilder, index: number): string {
  const { imports, functionNames } = module.contents;
  return `$${functionNames.get(index)?.name ?? imports[index]?.name ?? `f${index}`}`;
}

const indent = (text: string): string => text.replaceAll(/^/gm, '  ');
