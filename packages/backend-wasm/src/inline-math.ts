import { FunctionBuilder, type Local } from './encoder.ts';
import type { LoopBuilder } from './loop-builder.ts';
import type { Value } from './loop-values.ts';
import { emitMath, type MathFunction, type Shape } from './math.ts';

interface InlineOptions {
  readonly shape: Exclude<Shape, 'f64'>;
  readonly fused: boolean;
}

const keyOf = (constant: number): string => (Object.is(constant, -0) ? '-0' : String(constant));
const known = new Map<string, readonly number[]>();

/** A function of a vector as code where it is used, with its constants read before the loops. */
export function inlineMath(builder: LoopBuilder, name: MathFunction, operand: Value, options: InlineOptions): Value {
  const { shape, fused } = options;
  const constants = constantsOf(name, options);
  const held = constants.map((constant) => builder.splat(shape === 'f32x4' ? 'f32' : 'f64', constant));
  return builder.inline(`${shape} ${name}`, 'v128', [operand, ...held], (f) => {
    const locals = new Map<string, Local>();
    for (const constant of [...constants].reverse()) {
      const local = f.local('v128');
      f.set(local);
      locals.set(keyOf(constant), local);
    }
    emitMath(f, shape, name, { fused, constant: (value) => f.get(locals.get(keyOf(value)) as Local) });
    f.release(...locals.values());
  });
}

/** The numbers that a function's code asks for. */
function constantsOf(name: MathFunction, { shape, fused }: InlineOptions): readonly number[] {
  const key = `${shape} ${name} ${fused}`;
  let constants = known.get(key);
  if (!constants) {
    const asked = new Map<string, number>();
    const f = new FunctionBuilder(0, { parameters: ['v128'] }, 0);
    f.get(f.parameters[0] as Local);
    emitMath(f, shape, name, { fused, constant: (value) => asked.set(keyOf(value), value) });
    constants = [...asked.values()];
    known.set(key, constants);
  }
  return constants;
}
