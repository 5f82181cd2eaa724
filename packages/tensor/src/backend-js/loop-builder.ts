import {
  type ArrayReference,
  arrayKey,
  type Local,
  type LoopProgram,
  type Precision,
  type Scope,
  type Statement,
  type Value,
  type ValueForm,
} from './loops.ts';
import { type Primitive, primitiveRule } from './primitives.ts';
import { scalarFunctions } from './scalar-functions.ts';

interface ReadOptions {
  readonly guard?: Value | undefined;
  readonly precision?: Precision;
}

/**
 * Builds loop programs. Equal expressions are one value, and each value is computed in the outermost loop that knows
 * its operands: what does not change in a loop leaves it, whoever asked for it.
 */
export class LoopBuilder {
  readonly #root: Scope = { depth: 0, statements: [] };
  readonly #known = new Map<string, Value>();
  readonly #names = new Map<string, number>();
  readonly #isWritten: (array: ArrayReference) => boolean;
  #scope = this.#root;
  #nextId = 0;
  #slots = 0;

  /** `isWritten` tells the arrays that this program writes: what is read from them stays where it is read. */
  constructor(isWritten: (array: ArrayReference) => boolean) {
    this.#isWritten = isWritten;
  }

  number(value: number): Value {
    const precision = Math.fround(value) !== value ? 64 : scalarFunctions.roundToHalf(value) !== value ? 32 : 16;
    const key = Object.is(value, -0) ? '-0' : `${value}`;
    return this.#intern(key, { kind: 'number', value }, this.#root, precision);
  }

  call(primitive: Primitive, ...operands: readonly Value[]): Value {
    const rule = primitiveRule(primitive);
    if (operands.every(({ form }) => form.kind === 'number')) {
      const [a = 0, b = 0, c = 0] = operands.map(({ form }) => (form as { value: number }).value);
      return this.number(rule.evaluate(a, b, c));
    }
    const [first, then, otherwise] = operands as [Value, Value, Value];
    if (primitive === 'select' && first.form.kind === 'number') return first.form.value ? then : otherwise;
    const key = `${primitive}(${operands.map(({ id }) => id).join()})`;
    const chosen = primitive === 'select' ? [then, otherwise] : operands;
    let precision: Precision = 64;
    if (primitive === 'toHalf') precision = 16;
    else if (primitive === 'toSingle') precision = 32;
    else if (rule.exact || primitive === 'select') {
      precision = Math.max(...chosen.map((operand) => operand.precision)) as Precision;
    }
    return this.#intern(key, { kind: 'call', primitive, operands }, this.#deepest(operands), precision);
  }

  read(array: ArrayReference, index: Value, { guard, precision = 64 }: ReadOptions = {}): Value {
    if (guard?.form.kind === 'number' && !guard.form.value) return this.number(0);
    const volatile = this.#isWritten(array);
    const scope = volatile ? this.#scope : this.#deepest(guard ? [index, guard] : [index]);
    const place = volatile ? `@${this.#scope.depth}.${this.#scopeNumber}` : '';
    const key = `${arrayKey(array)}[${index.id}]${guard?.id ?? ''}${place}`;
    return this.#intern(key, { kind: 'read', array, index, ...(guard && { guard }), volatile }, scope, precision);
  }

  /** A local that changes; read it with `current`. */
  variable(name: string, initial: Value): Local {
    const local = this.#local(name);
    this.#scope.statements.push({ kind: 'variable', local, initial });
    return local;
  }

  /** What a variable holds here. */
  current(local: Local): Value {
    return this.#value({ kind: 'local', local }, this.#scope, 64);
  }

  assign(local: Local, value: Value): void {
    this.#scope.statements.push({ kind: 'assign', local, value });
  }

  write(array: ArrayReference, index: Value, value: Value, guard?: Value): void {
    this.#scope.statements.push({ kind: 'write', array, index, value, ...(guard && { guard }) });
  }

  #scopeNumber = 0;

  /** A loop over `from ... to - 1`. */
  loop(name: string, from: Value, to: Value, body: (index: Value) => void, options: { reverse?: boolean } = {}): void {
    const [outer, outerNumber] = [this.#scope, this.#scopeNumber];
    const scope: Scope = { depth: outer.depth + 1, statements: [] };
    const local = this.#local(name);
    this.#scope = scope;
    this.#scopeNumber = ++this.#nextId;
    body(this.#value({ kind: 'local', local }, scope, 64));
    this.#scope = outer;
    this.#scopeNumber = outerNumber;
    outer.statements.push({ kind: 'loop', local, from, to, reverse: options.reverse ?? false, scope });
  }

  /** Decides which values live in locals: those used twice, and those that leave a loop. */
  finish(kind: string, operandNames: readonly string[]): LoopProgram {
    const uses = new Map<Value, number>();
    const visit = (value: Value, user: Scope): void => {
      const { form, scope } = value;
      if (form.kind === 'number' || form.kind === 'local') return;
      const before = uses.get(value) ?? 0;
      uses.set(value, before + (user === scope && !(form.kind === 'read' && form.volatile) ? 1 : 2));
      if (before > 0) return;
      for (const operand of operandsOf(form)) visit(operand, scope);
    };
    const visitAll = (scope: Scope): void => {
      for (const statement of scope.statements) {
        for (const value of valuesOf(statement)) visit(value, scope);
        if (statement.kind === 'loop') visitAll(statement.scope);
      }
    };
    visitAll(this.#root);
    for (const [value, count] of uses) if (count > 1) value.local = this.#local('t');
    const prune = (scope: Scope): void => {
      const kept = scope.statements.filter((statement) => statement.kind !== 'define' || statement.value.local);
      scope.statements.splice(0, scope.statements.length, ...kept);
      for (const statement of kept) if (statement.kind === 'loop') prune(statement.scope);
    };
    prune(this.#root);
    return { kind, operandNames, slots: this.#slots, body: this.#root.statements };
  }

  #deepest(values: readonly Value[]): Scope {
    let scope = this.#root;
    for (const value of values) if (value.scope.depth > scope.depth) scope = value.scope;
    return scope;
  }

  #intern(key: string, form: ValueForm, scope: Scope, precision: Precision): Value {
    const known = this.#known.get(key);
    if (known) return known;
    const value = this.#value(form, scope, precision);
    this.#known.set(key, value);
    if (form.kind !== 'number') scope.statements.push({ kind: 'define', value });
    return value;
  }

  #value(form: ValueForm, scope: Scope, precision: Precision): Value {
    return { id: this.#nextId++, form, scope, precision };
  }

  #local(name: string): Local {
    const number = this.#names.get(name) ?? 0;
    this.#names.set(name, number + 1);
    return {
      name: name === 't' || number > 0 ? `${name}${name === 't' ? '' : '_'}${number}` : name,
      slot: this.#slots++,
    };
  }
}

/** The values that a form names directly. */
export function operandsOf(form: ValueForm): readonly Value[] {
  if (form.kind === 'call') return form.operands;
  if (form.kind === 'read') return form.guard ? [form.index, form.guard] : [form.index];
  return [];
}

/** The values that a statement needs itself; a `define` needs its value only if someone else does. */
export function valuesOf(statement: Statement): readonly Value[] {
  switch (statement.kind) {
    case 'define':
      return [];
    case 'variable':
      return [statement.initial];
    case 'assign':
      return [statement.value];
    case 'write':
      return statement.guard ? [statement.index, statement.value, statement.guard] : [statement.index, statement.value];
    case 'loop':
      return [statement.from, statement.to];
  }
}
