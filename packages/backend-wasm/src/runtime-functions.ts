import type { Callable, ModuleBuilder } from './encoder.ts';

/** Functions that kernels of a module call. */
export interface RuntimeFunctions {
  /** int32 and uint32; what is divided by 0 becomes 0. */
  readonly floorDivideSigned: Callable;
  readonly floorDivideUnsigned: Callable;
  readonly moduloSigned: Callable;
  readonly moduloUnsigned: Callable;
  /** float64; the remainder has the sign of the divisor. */
  readonly floorDivide: Callable;
  readonly modulo: Callable;
  /** The nearest float16 of a float32. */
  readonly roundToHalf: Callable;
}

const double = { parameters: ['f64', 'f64'], results: ['f64'] } as const;

/** Imports and functions; before any other function of the module. */
export function addRuntimeFunctions(module: ModuleBuilder): RuntimeFunctions {
  const floorDivide = module.importFunction('math', 'floorDivide', double);
  const modulo = module.importFunction('math', 'modulo', double);
  const roundToHalf = module.importFunction('math', 'roundToHalf', { parameters: ['f32'], results: ['f32'] });
  return { floorDivide, modulo, roundToHalf, ...integerDivisions(module) };
}

function integerDivisions(module: ModuleBuilder) {
  const division = (write: (f: ReturnType<ModuleBuilder['function']>) => void): Callable => {
    const f = module.function({ parameters: ['i32', 'i32'], results: ['i32'] });
    const [, divisor] = f.parameters;
    f.get(divisor as never)
      .op('i32.eqz')
      .if(
        () => f.i32(0),
        () => write(f),
        'i32',
      );
    return f;
  };
  return {
    floorDivideUnsigned: division((f) => {
      const [a, b] = f.parameters as [never, never];
      f.get(a).get(b).op('i32.div_u');
    }),
    moduloUnsigned: division((f) => {
      const [a, b] = f.parameters as [never, never];
      f.get(a).get(b).op('i32.rem_u');
    }),
    // The quotient by -1 may not fit, which traps: it is the negative.
    floorDivideSigned: division((f) => {
      const [a, b] = f.parameters as [never, never];
      const isMixed = (): unknown =>
        f
          .get(a)
          .get(b)
          .op('i32.xor')
          .i32(0)
          .op('i32.lt_s')
          .get(a)
          .get(b)
          .op('i32.rem_s')
          .i32(0)
          .op('i32.ne')
          .op('i32.and');
      f.get(b)
        .i32(-1)
        .op('i32.eq')
        .if(
          () => f.i32(0).get(a).op('i32.sub'),
          () => {
            f.get(a).get(b).op('i32.div_s');
            isMixed();
            f.op('i32.sub');
          },
          'i32',
        );
    }),
    moduloSigned: division((f) => {
      const [a, b] = f.parameters as [never, never];
      const rest = f.local('i32');
      f.get(a).get(b).op('i32.rem_s').set(rest);
      f.get(rest).get(b).op('i32.add').get(rest);
      f.get(rest).get(b).op('i32.xor').i32(0).op('i32.lt_s').get(rest).i32(0).op('i32.ne').op('i32.and').op('select');
    }),
  };
}
