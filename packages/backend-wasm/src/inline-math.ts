import type { FunctionBuilder, Local, PlainOp, ValueType } from './encoder.ts';
import type { LoopBuilder } from './loop-builder.ts';
import type { Value } from './loop-values.ts';
import { emitMath, type MathFunction, type Shape } from './math.ts';

interface InlineOptions {
  readonly shape: Exclude<Shape, 'f64'>;
  readonly fused: boolean;
}

/** A function of a vector as code where it is used, with its constants read before the loops. */
export function inlineMath(builder: LoopBuilder, name: MathFunction, operand: Value, options: InlineOptions): Value {
  const recipe = recipeOf(name, options);
  const type = options.shape === 'f32x4' ? 'f32' : 'f64';
  const constants = recipe.constants.map((constant) => builder.splat(type, constant));
  return builder.inline(`${options.shape} ${name}`, 'v128', [operand, ...constants], (f, push) =>
    replay(f, recipe, push),
  );
}

type Step =
  | { readonly kind: 'get' | 'set'; readonly local: number }
  | { readonly kind: 'constant'; readonly number: number }
  | { readonly kind: 'write'; readonly write: (f: FunctionBuilder) => void };

/** The code of a function of one vector, and the numbers that it asks for. */
interface Recipe {
  readonly steps: readonly Step[];
  readonly constants: readonly number[];
}

const known = new Map<string, Recipe>();

function recipeOf(name: MathFunction, { shape, fused }: InlineOptions): Recipe {
  const key = `${shape} ${name} ${fused}`;
  const recipe = known.get(key) ?? record(name, shape, fused);
  known.set(key, recipe);
  return recipe;
}

/** The part of a function builder that formulas write on, as a list. */
function record(name: MathFunction, shape: Shape, fused: boolean): Recipe {
  const steps: Step[] = [];
  const constants: number[] = [];
  let locals = 0;
  const write = (one: (f: FunctionBuilder) => void): unknown => {
    steps.push({ kind: 'write', write: one });
    return recorder;
  };
  const access = (kind: 'get' | 'set', { index }: Local): unknown => {
    steps.push({ kind, local: index });
    return recorder;
  };
  const recorder = {
    get: (local: Local) => access('get', local),
    set: (local: Local) => access('set', local),
    local: (type: ValueType): Local => ({ index: locals++, type }),
    release: () => recorder,
    op: (op: PlainOp) => write((f) => f.op(op)),
    i32: (value: number) => write((f) => f.i32(value)),
    i64: (value: bigint) => write((f) => f.i64(value)),
  };
  const constant = (value: number): void => {
    const at = constants.findIndex((one) => Object.is(one, value));
    steps.push({ kind: 'constant', number: at < 0 ? constants.push(value) - 1 : at });
  };
  emitMath(recorder as unknown as FunctionBuilder, shape, name, { fused, constant });
  return { steps: withoutDetours(steps), constants };
}

const usesOf = (steps: readonly Step[], local: number): number => {
  return steps.filter((step) => step.kind === 'get' && step.local === local).length;
};

/** What is read once, just where it was written, stays on the stack. */
function withoutDetours(steps: readonly Step[]): Step[] {
  const kept: Step[] = [];
  for (const step of steps) {
    const before = kept.at(-1);
    const isDetour = step.kind === 'get' && before?.kind === 'set' && before.local === step.local;
    if (isDetour && usesOf(steps, step.local) === 1) kept.pop();
    else kept.push(step);
  }
  return kept;
}

/**
 * Writes the code; `push` leaves the operand (0) or a constant on the stack. Locals are used again as soon as they are
 * free: each that a loop writes is one more value that V8 carries around it, which can keep it from fusing vectors.
 */
function replay(f: FunctionBuilder, { steps }: Recipe, push: (number: number) => void): void {
  push(0);
  const left = new Map<number, number>();
  for (const step of steps) if (step.kind === 'get') left.set(step.local, (left.get(step.local) ?? 0) + 1);
  const locals = new Map<number, Local>();
  for (const step of steps) {
    if (step.kind === 'write') step.write(f);
    else if (step.kind === 'constant') push(1 + step.number);
    else if (step.kind === 'set') {
      const local = f.local('v128');
      locals.set(step.local, local);
      f.set(local);
    } else {
      const local = locals.get(step.local) as Local;
      f.get(local);
      const rest = (left.get(step.local) as number) - 1;
      left.set(step.local, rest);
      if (rest === 0) f.release(local);
    }
  }
}
