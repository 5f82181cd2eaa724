import type { FunctionBuilder } from './encoder.ts';
import type { Scope, Statement, Value } from './loop-values.ts';

type Loop = Statement & { kind: 'loop' };

/** Writes the statements of a scope. */
export function printScope(f: FunctionBuilder, scope: Scope): void {
  for (const statement of scope.statements) printStatement(f, statement);
}

function printStatement(f: FunctionBuilder, statement: Statement): void {
  switch (statement.kind) {
    case 'define':
      if (statement.value.usesLeft === undefined) return;
      compute(f, statement.value);
      statement.value.local = f.local(statement.value.type);
      f.set(statement.value.local);
      return;
    case 'assign':
      push(f, statement.value);
      f.set(statement.local);
      return;
    case 'effect':
      for (const operand of statement.operands) push(f, operand);
      statement.write(f);
      return;
    case 'when':
      push(f, statement.condition);
      f.if(() => printScope(f, statement.scope));
      return;
    case 'loop':
      printLoop(f, statement);
      return;
    case 'repeat':
      f.loop((again) => {
        printScope(f, statement.scope);
        push(f, statement.condition);
        f.brIf(again);
      });
  }
}

function printLoop(f: FunctionBuilder, { local, from, to, reverse, atLeastOnce, scope }: Loop): void {
  push(f, reverse ? to : from);
  if (reverse) f.i32(1).op('i32.sub');
  f.set(local);
  const turns = (): void => {
    f.loop((again) => {
      printScope(f, scope);
      f.get(local)
        .i32(reverse ? -1 : 1)
        .op('i32.add')
        .tee(local);
      push(f, reverse ? from : to);
      f.op(reverse ? 'i32.ge_s' : 'i32.lt_s').brIf(again);
    });
  };
  if (atLeastOnce) {
    turns();
    return;
  }
  f.get(local);
  push(f, reverse ? from : to);
  f.op(reverse ? 'i32.ge_s' : 'i32.lt_s').if(turns);
}

/** Puts a value on the stack. */
function push(f: FunctionBuilder, value: Value): void {
  if (!value.local) {
    compute(f, value);
    return;
  }
  f.get(value.local);
  value.usesLeft = (value.usesLeft as number) - 1;
  if (value.usesLeft === 0) f.release(value.local);
}

function compute(f: FunctionBuilder, { type, form }: Value): void {
  switch (form.kind) {
    case 'number':
      f[type as 'i32'](form.value);
      return;
    case 'lanes':
      f.i32x4(...form.lanes);
      return;
    case 'variable':
      f.get(form.local);
      return;
    case 'operation':
      for (const operand of form.operands) push(f, operand);
      form.write(f);
      return;
    case 'inline':
      form.write(f, (operand) => push(f, form.operands[operand] as Value));
      return;
    case 'guardedLoad':
      push(f, form.guard);
      f.if(
        () => {
          push(f, form.address);
          f.memory(form.op, form.offset);
        },
        () => {
          if (type === 'v128') f.i32x4(0);
          else f[type as 'i32'](0);
        },
        type,
      );
  }
}
