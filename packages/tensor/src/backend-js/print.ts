import type { ArrayReference, LoopFunction, LoopProgram, Statement, Tables, Value } from './loops.ts';
import { primitiveRule } from './primitives.ts';
import { scalarFunctions } from './scalar-functions.ts';

/** A loop program as the source of a JavaScript function. */
export function printLoops(program: LoopProgram): string {
  const { kind, operandNames, body } = program;
  const lines = [`function ${kind}(operands, given, scratch, bounds) {`];
  const text = printBody(body, operandNames, '  ');
  const words = new Set(text.join('\n').match(/\b[a-z]+\d+\b/g));
  operandNames.forEach((name, number) => {
    if (words.has(name)) lines.push(`  const ${name} = operands[${number}];`);
  });
  const scratches = [...words].filter((word) => word.startsWith('scratch')).sort();
  for (const name of scratches) lines.push(`  const ${name} = scratch[${name.slice('scratch'.length)}];`);
  lines.push(...text, '}');
  return lines.join('\n');
}

function printBody(body: readonly Statement[], operandNames: readonly string[], indent: string): string[] {
  const array = (reference: ArrayReference): string => {
    if (reference.kind === 'operand') return operandNames[reference.number] as string;
    return reference.kind === 'scratch' ? `scratch${reference.number}` : reference.kind;
  };
  const operand = (value: Value): string => {
    const text = value.local?.name ?? spell(value);
    return /^\w[\w.]*(\[[^[\]]+\])?$/.test(text) ? text : `(${text})`;
  };
  const bare = (value: Value): string => value.local?.name ?? spell(value);
  const spell = ({ form }: Value): string => {
    switch (form.kind) {
      case 'number':
        return Object.is(form.value, -0) ? '-0' : `${form.value}`;
      case 'local':
        return form.local.name;
      case 'read': {
        const text = `${array(form.array)}[${bare(form.index)}]`;
        return form.guard ? `${operand(form.guard)} ? ${text} : 0` : text;
      }
      case 'call': {
        const { infix, call } = primitiveRule(form.primitive);
        return infix ? infix(...form.operands.map(operand)) : `${call}(${form.operands.map(bare).join(', ')})`;
      }
    }
  };
  const linesOf = (statement: Statement): string[] => {
    switch (statement.kind) {
      case 'define':
        return [`${indent}const ${statement.value.local?.name} = ${spell(statement.value)};`];
      case 'variable':
        return [`${indent}let ${statement.local.name} = ${bare(statement.initial)};`];
      case 'assign':
        return [`${indent}${statement.local.name} = ${bare(statement.value)};`];
      case 'write': {
        const text = `${array(statement.array)}[${bare(statement.index)}] = ${bare(statement.value)};`;
        return [statement.guard ? `${indent}if (${bare(statement.guard)}) ${text}` : `${indent}${text}`];
      }
      case 'loop': {
        const { name } = statement.local;
        const [from, to] = [operand(statement.from), operand(statement.to)];
        const head = statement.reverse
          ? `for (let ${name} = ${to} - 1; ${name} >= ${from}; ${name}--)`
          : `for (let ${name} = ${from}; ${name} < ${to}; ${name}++)`;
        const inner = printBody(statement.scope.statements, operandNames, `${indent}  `);
        return [`${indent}${head} {`, ...inner, `${indent}}`];
      }
    }
  };
  return body.flatMap(linesOf);
}

/**
 * Makes a function of printed source.
 *
 * @throws where a content-security policy forbids code from strings.
 */
export function evaluateSource(source: string, tables: Partial<Tables>): LoopFunction {
  const globals = { ...scalarFunctions, ...tables };
  const names = Object.keys(globals).filter((name) => new RegExp(`\\b${name}\\b`).test(source));
  const header = names.length > 0 ? `const { ${names.join(', ')} } = globals;\n` : '';
  return new Function('globals', `'use strict';\n${header}return ${source};`)(globals) as LoopFunction;
}

/** Whether this page may make code of strings. */
export function canEvaluateSource(): boolean {
  try {
    new Function('');
    return true;
  } catch {
    return false;
  }
}
