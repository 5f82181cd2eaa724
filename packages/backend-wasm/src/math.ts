import type { Callable, FunctionBuilder, Local, ModuleBuilder } from './encoder.ts';
import { Arithmetic, type ArithmeticOptions, type Shape } from './math/arithmetic.ts';
import { cos, erf, exp, log, MODERATE, pow, sigmoid, sin, sineOfFew, sineOfRest, tanh } from './math/functions.ts';
import { addLargeReduction, LARGE } from './math/large-sine.ts';
import { addRandom } from './math/random.ts';

export { Arithmetic, type ArithmeticOptions, type Shape } from './math/arithmetic.ts';

const unary = { exp, log, sin, cos, tanh, erf, sigmoid } as const;

/** Functions that WebAssembly has no instruction for. */
export type MathFunction = keyof typeof unary | 'pow';

/**
 * Emits a function of the value on the stack (`pow`: base, then exponent) and leaves its value. Relative errors:
 * four float32 below 1e-6, float64 below 1e-15 (erf 2e-15, pow 4e-15; sin and cos absolutely, and up to arguments of 1e6). Right at 0,
 * infinities, NaN and subnormal numbers; sin and cos of float32 below 2e-6 up to 1e5.
 */
export function emitMath(f: FunctionBuilder, shape: Shape, name: MathFunction, options: ArithmeticOptions = {}): void {
  const m = new Arithmetic(f, shape, options);
  const last = m.pop();
  if (shape === 'f32x4' && (name === 'sin' || name === 'cos' || name === 'pow')) {
    emitInHalves(m, name, last);
  } else if (name === 'pow') {
    m.end(pow(m, m.pop(), last));
  } else {
    m.end(unary[name](m, last));
  }
}

/** float32 would not do: two lanes at a time in float64. */
function emitInHalves(outer: Arithmetic, name: 'sin' | 'cos' | 'pow', last: Local): void {
  const { f } = outer;
  const operands = name === 'pow' ? [outer.pop(), last] : [last];
  const halves = [0, 1].map((half) => {
    // Fused or not, a product's error is found by splitting: it must be rounded as such.
    const m = new Arithmetic(f, 'f64x2');
    const [x, y] = operands.map((operand) => {
      f.get(operand);
      if (half === 1) f.get(operand).shuffle32([2, 3, 2, 3]);
      f.op('f64x2.promote_low_f32x4');
      return m.pop();
    }) as [Local, Local];
    m.end(name === 'pow' ? pow(m, x, y) : unary[name](m, x));
    f.op('f32x4.demote_f64x2_zero');
    return outer.pop();
  }) as [Local, Local];
  f.get(halves[0]).get(halves[1]).shuffle32([0, 1, 4, 5]);
  outer.end(outer.pop());
}

/** The functions of a module that compute such functions, each written when it is first asked for. */
export class MathFunctions {
  readonly #module: ModuleBuilder;
  readonly #fused: boolean;
  readonly #known = new Map<string, Callable>();
  #reduction: ReturnType<typeof addLargeReduction> | undefined;

  constructor(module: ModuleBuilder, { fused = false }: { fused?: boolean } = {}) {
    this.#module = module;
    this.#fused = fused;
  }

  /** v128 to v128: four float32. sin and cos up to 6000 within 3e-7. */
  single(name: MathFunction): Callable {
    return this.#function(name, 'f32x4');
  }

  /** v128 to v128: two float64. Not for sin, cos and pow, which are `double`. */
  pair(name: Exclude<MathFunction, 'sin' | 'cos' | 'pow'>): Callable {
    return this.#function(name, 'f64x2');
  }

  /** f64 to f64. */
  double(name: MathFunction): Callable {
    return this.#function(name, 'f64');
  }

  /** Two key words, element and stream, four uint32 each, to four random uint32. */
  random(): Callable {
    return this.#once('random', () => addRandom(this.#module));
  }

  #function(name: MathFunction, shape: Shape): Callable {
    return this.#once(`${shape}.${name}`, () => this.#write(name, shape));
  }

  #once(name: string, write: () => Callable): Callable {
    let known = this.#known.get(name);
    if (!known) {
      known = write();
      this.#module.name(known, name);
      this.#known.set(name, known);
    }
    return known;
  }

  #write(name: MathFunction, shape: Shape): Callable {
    const type = shape === 'f64' ? 'f64' : 'v128';
    const isSine = name === 'sin' || name === 'cos';
    if (isSine && shape === 'f64') this.#reduction ??= addLargeReduction(this.#module);
    const f = this.#module.function({ parameters: name === 'pow' ? [type, type] : [type], results: [type] });
    const [x] = f.parameters as [Local];
    if (isSine && shape === 'f32x4') {
      this.#lanesOfSine(f, x, name);
      return f;
    }
    if (isSine) this.#large(f, x, name);
    for (const parameter of f.parameters) f.get(parameter);
    emitMath(f, shape, name, { fused: this.#fused });
    return f;
  }

  /** Returns the value for a large finite number. */
  #large(f: FunctionBuilder, x: Local, name: 'sin' | 'cos'): void {
    const { reduce, turns } = this.#reduction as ReturnType<typeof addLargeReduction>;
    f.get(x).op('f64.abs').f64(LARGE).op('f64.ge');
    f.get(x).op('f64.abs').f64(Number.POSITIVE_INFINITY).op('f64.lt').op('i32.and');
    f.if(() => {
      const m = new Arithmetic(f, 'f64');
      f.get(x).call(reduce);
      const rest = m.pop();
      f.getGlobal(turns)
        .i32(name === 'cos' ? 1 : 0)
        .op('i32.add')
        .op('f64.convert_i32_s');
      m.end(sineOfRest(m, rest, m.pop()));
      f.op('return');
    });
  }

  /** Each lane by its own size, whatever its neighbours are: in float32 where that will do, else in float64. */
  #lanesOfSine(f: FunctionBuilder, x: Local, name: 'sin' | 'cos'): void {
    const exact = this.double(name);
    const m = new Arithmetic(f, 'f32x4', { fused: this.#fused });
    const few = sineOfFew(m, x, name === 'cos' ? 1 : 0);
    const isFew = f.local('v128');
    f.get(x).op('f32x4.abs').splat('f32', MODERATE).op('f32x4.le').tee(isFew).op('i32x4.all_true');
    f.if(() => f.get(few).op('return'));
    f.get(few);
    f.get(x).op('f32x4.abs').f32x4(LARGE).op('f32x4.ge').op('v128.any_true');
    f.if(
      () => {
        f.get(x);
        for (let lane = 0; lane < 4; lane++) {
          f.get(x).lane('f32x4.extract_lane', lane).op('f64.promote_f32').call(exact).op('f32.demote_f64');
          f.lane('f32x4.replace_lane', lane);
        }
      },
      () => {
        f.get(x);
        emitMath(f, 'f32x4', name);
      },
      'v128',
    );
    f.get(isFew).op('v128.bitselect');
  }
}
