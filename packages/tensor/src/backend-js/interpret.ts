import type { ArrayReference, Local, LoopFunction, LoopProgram, Statement, Tables, Value } from './loops.ts';
import { primitiveRule } from './primitives.ts';

type Evaluate = () => number;
type Execute = () => void;
type MutableArray = { [index: number]: number };

/** What a run's closures share. */
interface Frame {
  operands: readonly MutableArray[];
  scratch: readonly MutableArray[];
  readonly tables: Record<string, MutableArray>;
  readonly locals: Float64Array;
}

/**
 * A loop program as nested closures, for pages whose content-security policy forbids code from strings. The operations
 * and their order are the printed code's, so the results are too.
 */
export function interpretLoops(program: LoopProgram, tables: Partial<Tables>): LoopFunction {
  const frame: Frame = {
    operands: [],
    scratch: [],
    tables: { ...tables },
    locals: new Float64Array(program.slots),
  };
  const execute = sequence(program.body, frame);
  return (operands, given, scratch, bounds) => {
    frame.operands = operands as readonly MutableArray[];
    frame.scratch = scratch;
    frame.tables.given = given;
    frame.tables.bounds = bounds as unknown as MutableArray;
    execute();
    frame.operands = [];
    frame.scratch = [];
  };
}

function sequence(statements: readonly Statement[], frame: Frame): Execute {
  const steps = statements.map((statement) => closure(statement, frame));
  if (steps.length === 1) return steps[0] as Execute;
  return () => {
    for (let i = 0; i < steps.length; i++) (steps[i] as Execute)();
  };
}

function closure(statement: Statement, frame: Frame): Execute {
  const { locals } = frame;
  const keep = ({ slot }: Local, value: Evaluate): Execute => {
    return () => {
      locals[slot] = value();
    };
  };
  switch (statement.kind) {
    case 'define':
      return keep(statement.value.local as Local, spell(statement.value, frame));
    case 'variable':
      return keep(statement.local, evaluation(statement.initial, frame));
    case 'assign':
      return keep(statement.local, evaluation(statement.value, frame));
    case 'write': {
      const array = arrayOf(statement.array, frame);
      const [index, value] = [evaluation(statement.index, frame), evaluation(statement.value, frame)];
      const guard = statement.guard && evaluation(statement.guard, frame);
      return () => {
        if (!guard || guard()) array()[index()] = value();
      };
    }
    case 'loop': {
      const { slot } = statement.local;
      const [from, to] = [evaluation(statement.from, frame), evaluation(statement.to, frame)];
      const body = sequence(statement.scope.statements, frame);
      if (statement.reverse) {
        return () => {
          for (let i = to() - 1, end = from(); i >= end; i--) {
            locals[slot] = i;
            body();
          }
        };
      }
      return () => {
        for (let i = from(), end = to(); i < end; i++) {
          locals[slot] = i;
          body();
        }
      };
    }
  }
}

function evaluation(value: Value, frame: Frame): Evaluate {
  const { local } = value;
  if (!local) return spell(value, frame);
  const { locals } = frame;
  return () => locals[local.slot] as number;
}

function spell({ form }: Value, frame: Frame): Evaluate {
  switch (form.kind) {
    case 'number': {
      const { value } = form;
      return () => value;
    }
    case 'local': {
      const { locals } = frame;
      const { slot } = form.local;
      return () => locals[slot] as number;
    }
    case 'read': {
      const array = arrayOf(form.array, frame);
      const index = evaluation(form.index, frame);
      if (!form.guard) return () => array()[index()] as number;
      const guard = evaluation(form.guard, frame);
      return () => (guard() ? (array()[index()] as number) : 0);
    }
    case 'call': {
      const { evaluate } = primitiveRule(form.primitive);
      const [a, b, c] = form.operands.map((operand) => evaluation(operand, frame)) as [Evaluate, Evaluate, Evaluate];
      if (form.primitive === 'select') return () => (a() ? b() : c());
      if (form.operands.length === 1) return () => evaluate(a(), 0, 0);
      return () => evaluate(a(), b(), 0);
    }
  }
}

function arrayOf(reference: ArrayReference, frame: Frame): () => MutableArray {
  if (reference.kind === 'operand' || reference.kind === 'scratch') {
    const { number } = reference;
    return reference.kind === 'operand'
      ? () => frame.operands[number] as MutableArray
      : () => frame.scratch[number] as MutableArray;
  }
  const { tables } = frame;
  const { kind } = reference;
  return () => tables[kind] as MutableArray;
}
