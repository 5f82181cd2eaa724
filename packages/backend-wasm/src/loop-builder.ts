import type { FunctionBuilder, LaneOp, Local, MemoryLaneOp, MemoryOp, PlainOp, ValueType } from './encoder.ts';
import { foldInteger } from './fold.ts';
import { printScope } from './loop-printer.ts';
import {
  operandsOf,
  resultType,
  type Scope,
  type Statement,
  type Value,
  type ValueForm,
  valuesOf,
} from './loop-values.ts';

/** More than a function has; two of them fit a number. */
const MOST_VALUES = 2 ** 26;

interface LoadOptions {
  readonly offset?: number;
  readonly guard?: Value | undefined;
  /** What is read may be written by this function: keep it where it was read. */
  readonly volatile?: boolean;
}

/**
 * Builds the loops of one function. Equal expressions are one value, and each value is computed in the outermost scope
 * that knows its operands: what does not change in a loop leaves it, whoever asked for it.
 */
export class LoopBuilder {
  readonly function: FunctionBuilder;
  readonly #root: Scope = { depth: 0, statements: [] };
  readonly #known = new Map<string, Value>();
  /** Operations of one and two operands by these, without a string for each. */
  readonly #operations = new Map<PlainOp, Map<number, Value>>();
  readonly #integers = new Map<number, Value>();
  #scope = this.#root;
  #scopeNumber = 0;
  #nextId = 1;

  constructor(builder: FunctionBuilder) {
    this.function = builder;
  }

  i32(value: number): Value {
    return this.number('i32', value);
  }

  number(type: 'i32' | 'f32' | 'f64', value: number): Value {
    if (type === 'i32') {
      const whole = value | 0;
      let known = this.#integers.get(whole);
      if (known === undefined) {
        known = this.#value('i32', { kind: 'number', value: whole }, this.#root);
        this.#integers.set(whole, known);
      }
      return known;
    }
    const key = `${type} ${Object.is(value, -0) ? '-0' : value}`;
    return this.#intern(key, type, { kind: 'number', value }, this.#root);
  }

  /** The same number in all lanes. */
  splat(type: 'i32' | 'f32' | 'f64', value: number): Value {
    if (value === 0 && !Object.is(value, -0)) return this.lanes(0, 0, 0, 0);
    const form: ValueForm = { kind: 'operation', operands: [], volatile: false, write: (f) => f.splat(type, value) };
    return this.#intern(`splat ${type} ${Object.is(value, -0) ? '-0' : value}`, 'v128', form, this.#root);
  }

  /** Four int32 lanes. */
  lanes(...lanes: readonly number[]): Value {
    const [first = 0] = lanes;
    if (first !== 0 && lanes.every((lane) => lane === first)) return this.splat('i32', first);
    return this.#intern(`lanes ${lanes}`, 'v128', { kind: 'lanes', lanes }, this.#root);
  }

  parameter(number: number): Value {
    const local = this.function.parameters[number] as Local;
    return this.#intern(`parameter ${number}`, local.type, { kind: 'variable', local }, this.#root);
  }

  op(op: PlainOp, ...operands: readonly Value[]): Value {
    const folded = foldInteger(op, operands);
    if (folded !== undefined) return typeof folded === 'number' ? this.i32(folded) : folded;
    const write = (f: FunctionBuilder): void => void f.op(op);
    const [first, second, third] = operands;
    if (first === undefined || third !== undefined) {
      return this.#operation(op, resultType(op, operands), operands, write);
    }
    let ofOp = this.#operations.get(op);
    if (ofOp === undefined) {
      ofOp = new Map();
      this.#operations.set(op, ofOp);
    }
    const key = first.id + MOST_VALUES * (second?.id ?? 0);
    let known = ofOp.get(key);
    if (known === undefined) {
      const form: ValueForm = { kind: 'operation', operands, volatile: false, write };
      known = this.#define(resultType(op, operands), form, deepest(operands, this.#root));
      ofOp.set(key, known);
    }
    return known;
  }

  lane(op: LaneOp, lane: number, ...operands: readonly Value[]): Value {
    const type = op.includes('replace') ? 'v128' : op.startsWith('f32') ? 'f32' : op.startsWith('f64') ? 'f64' : 'i32';
    return this.#operation(`${op} ${lane}`, type, operands, (f) => f.lane(op, lane));
  }

  /** Chooses 32-bit lanes: 0 to 3 from the first vector, 4 to 7 from the second. */
  shuffle32(first: Value, second: Value, lanes: readonly [number, number, number, number]): Value {
    return this.#operation(`shuffle ${lanes}`, 'v128', [first, second], (f) => f.shuffle32(lanes));
  }

  call(callee: { readonly index: number }, type: ValueType, ...operands: readonly Value[]): Value {
    return this.#operation(`call ${callee.index}`, type, operands, (f) => f.call(callee));
  }

  /** Code that computes a value of its operands; equal keys mean equal code. */
  inline(
    key: string,
    type: ValueType,
    operands: readonly Value[],
    write: (f: FunctionBuilder, push: (operand: number) => void) => void,
  ): Value {
    const form: ValueForm = { kind: 'inline', operands, write };
    return this.#intern(`${key} ${operands.map(({ id }) => id)}`, type, form, deepest(operands, this.#root));
  }

  /** Chooses `then` where `condition` is not 0. */
  select(condition: Value, then: Value, otherwise: Value): Value {
    if (condition.form.kind === 'number') return condition.form.value ? then : otherwise;
    if (then === otherwise) return then;
    return this.op('select', then, otherwise, condition);
  }

  load(op: MemoryOp, address: Value, { offset = 0, guard, volatile = false }: LoadOptions = {}): Value {
    const type = resultType(op, []);
    const place = volatile ? `@${this.#scopeNumber}` : '';
    const known = guard?.form.kind === 'number' ? guard.form.value !== 0 : undefined;
    if (known === false) return type === 'v128' ? this.lanes(0, 0, 0, 0) : this.number(type as 'i32', 0);
    if (guard && known === undefined) {
      const key = `${op} ${address.id}+${offset}?${guard.id}${place}`;
      const scope = volatile ? this.#scope : deepest([address, guard], this.#root);
      return this.#intern(key, type, { kind: 'guardedLoad', op, offset, address, guard, volatile }, scope);
    }
    const write = (f: FunctionBuilder): void => void f.memory(op, offset);
    // Volatile for its place: a load must not come to stand among the stores of other vectors.
    const form: ValueForm = { kind: 'operation', operands: [address], volatile: true, write };
    const scope = volatile ? this.#scope : address.scope;
    return this.#intern(`${op} ${address.id}+${offset}${place}`, type, form, scope);
  }

  /** What has been written may be read: volatile loads from here on are others than those before. */
  renew(): void {
    this.#scopeNumber = this.#nextId++;
  }

  /** An atomic or other effectful operation with a result, done where it stands. */
  perform(type: ValueType, operands: readonly Value[], write: (f: FunctionBuilder) => void): Value {
    const form: ValueForm = { kind: 'operation', operands, volatile: true, write };
    return this.#intern(`effect ${this.#nextId}`, type, form, this.#scope);
  }

  /** A local that changes; read it with `current`. */
  variable(initial: Value): Local {
    const local = this.function.local(initial.type);
    this.assign(local, initial);
    return local;
  }

  /** What a variable holds here. */
  current(local: Local): Value {
    return this.#value(local.type, { kind: 'variable', local }, this.#scope);
  }

  /** What a variable holds now, also when it has changed. */
  snapshot(local: Local): Value {
    return this.perform(local.type, [], (f) => f.get(local));
  }

  assign(local: Local, value: Value): void {
    this.#push({ kind: 'assign', local, value });
  }

  store(op: MemoryOp, address: Value, value: Value, offset = 0): void {
    this.effect([address, value], (f) => f.memory(op, offset));
  }

  storeLane(op: MemoryLaneOp, lane: number, address: Value, value: Value, offset = 0): void {
    this.effect([address, value], (f) => f.memoryLane(op, lane, offset));
  }

  effect(operands: readonly Value[], write: (f: FunctionBuilder) => void): void {
    this.#push({ kind: 'effect', operands, write: (f) => void write(f) });
  }

  /**
   * A loop over `from ... to - 1`. Say `atLeastOnce` where it is so: an unasked question is also one place less where V8
   * brings all variables together, which keeps it from fusing vectors.
   */
  loop(
    from: Value,
    to: Value,
    body: (index: Value) => void,
    { reverse = false, atLeastOnce = false }: { reverse?: boolean; atLeastOnce?: boolean } = {},
  ): void {
    const [first, last] = [from.form, to.form];
    const isKnown = first.kind === 'number' && last.kind === 'number';
    if (isKnown && first.value >= last.value) return;
    const local = this.function.local('i32');
    const scope = this.#inside((inner) => body(this.#value('i32', { kind: 'variable', local }, inner)));
    this.#push({ kind: 'loop', local, from, to, reverse, atLeastOnce: atLeastOnce || isKnown, scope });
  }

  when(condition: Value, body: () => void): void {
    if (condition.form.kind === 'number') {
      if (condition.form.value !== 0) body();
      return;
    }
    const scope = this.#inside(body);
    this.#push({ kind: 'when', condition, scope });
  }

  /** Repeats as long as what `body` gives is not 0. */
  repeat(body: () => Value): void {
    const again: Value[] = [];
    const scope = this.#inside(() => again.push(body()));
    this.#push({ kind: 'repeat', condition: again[0] as Value, scope });
  }

  /** Decides which values live in locals (those used twice, and those that leave a loop) and writes the function. */
  finish(): void {
    const uses = new Map<Value, number>();
    const kept = new Set<Value>();
    const visit = (value: Value, user: Scope, isRepeated = false): void => {
      const { form, scope } = value;
      if (form.kind === 'number' || form.kind === 'lanes' || form.kind === 'variable') return;
      const before = uses.get(value) ?? 0;
      // In a loop inside, at a loop's end and in inline code one use is many.
      uses.set(value, before + (user === scope && !isRepeated ? 1 : Number.POSITIVE_INFINITY));
      if ('volatile' in form && form.volatile) kept.add(value);
      if (before > 0) return;
      for (const operand of operandsOf(form)) visit(operand, scope, form.kind === 'inline');
    };
    const visitAll = (scope: Scope): void => {
      for (const statement of scope.statements) {
        for (const value of valuesOf(statement)) visit(value, scope, statement.kind === 'loop');
        if ('scope' in statement) visitAll(statement.scope);
      }
    };
    visitAll(this.#root);
    for (const [value, count] of uses) if (count > 1 || kept.has(value)) value.usesLeft = count;
    printScope(this.function, this.#root);
  }

  #inside(body: (scope: Scope) => unknown): Scope {
    const [outer, outerNumber] = [this.#scope, this.#scopeNumber];
    const scope: Scope = { depth: outer.depth + 1, statements: [] };
    this.#scope = scope;
    this.#scopeNumber = this.#nextId++;
    body(scope);
    this.#scope = outer;
    this.#scopeNumber = outerNumber;
    return scope;
  }

  #operation(key: string, type: ValueType, operands: readonly Value[], write: (f: FunctionBuilder) => void): Value {
    const form: ValueForm = { kind: 'operation', operands, volatile: false, write };
    return this.#intern(`${key} ${operands.map(({ id }) => id)}`, type, form, deepest(operands, this.#root));
  }

  #intern(key: string, type: ValueType, form: ValueForm, scope: Scope): Value {
    const known = this.#known.get(key);
    if (known) return known;
    const value =
      'operands' in form || form.kind === 'guardedLoad'
        ? this.#define(type, form, scope)
        : this.#value(type, form, scope);
    this.#known.set(key, value);
    return value;
  }

  #define(type: ValueType, form: ValueForm, scope: Scope): Value {
    const value = this.#value(type, form, scope);
    scope.statements.push({ kind: 'define', value });
    return value;
  }

  #value(type: ValueType, form: ValueForm, scope: Scope): Value {
    return { id: this.#nextId++, type, form, scope };
  }

  #push(statement: Statement): void {
    this.#scope.statements.push(statement);
  }
}

function deepest(values: readonly Value[], root: Scope): Scope {
  let scope = root;
  for (const value of values) if (value.scope.depth > scope.depth) scope = value.scope;
  return scope;
}
