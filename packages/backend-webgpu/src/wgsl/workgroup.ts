import type { Value, WgslType } from './code.ts';
import type { Program } from './program.ts';

type Join = (a: string, b: string) => string;

/** Combines what variable `total` holds in each thread, in a fixed order; every thread gets the result. */
export function reduceInGroup(
  program: Program,
  { threads, type, total, join }: { threads: number; type: WgslType; total: string; join: Join },
): Value {
  const { code } = program;
  const shared = program.shared(type, threads);
  code.line(`${shared}[lane] = ${total};`);
  code.line('workgroupBarrier();');
  const step = code.name('step');
  code.block(`for (var ${step} = ${threads / 2}; ${step} > 0; ${step} >>= 1u)`, () => {
    code.block(`if (lane < ${step})`, () => {
      code.line(`${shared}[lane] = ${join(`${shared}[lane]`, `${shared}[lane + ${step}]`)};`);
    });
    code.line('workgroupBarrier();');
  });
  return code.now(`${shared}[0]`, type);
}

/**
 * Combines `value` with those of all earlier threads and with `total`, and what the last thread gets becomes the new total
 * of all.
 */
export function printScan(
  program: Program,
  { threads, value, total, join }: { threads: number; value: Value; total: string; join: Join },
): Value {
  const { code } = program;
  const shared = program.shared(value.type, threads);
  code.line(`${shared}[lane] = ${value.text};`);
  code.line('workgroupBarrier();');
  const step = code.name('step');
  code.block(`for (var ${step} = 1; ${step} < ${threads}; ${step} <<= 1u)`, () => {
    const sum = code.name('sum');
    code.line(`var ${sum} = ${shared}[lane];`);
    code.block(`if (lane >= ${step})`, () => code.line(`${sum} = ${join(`${shared}[lane - ${step}]`, sum)};`));
    code.line('workgroupBarrier();');
    code.line(`${shared}[lane] = ${sum};`);
    code.line('workgroupBarrier();');
  });
  const scanned = code.now(join(total, `${shared}[lane]`), value.type);
  code.line(`${total} = ${join(total, `${shared}[${threads - 1}]`)};`);
  code.line('workgroupBarrier();');
  return scanned;
}
