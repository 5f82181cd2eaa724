import type { Value, WgslType } from './code.ts';
import type { Program } from './program.ts';
import { BAND } from './row-mode.ts';

type Join = (a: string, b: string) => string;

interface Reduction {
  readonly threads: number;
  readonly type: WgslType;
  /** The variable that holds a thread's part. */
  readonly total: string;
  readonly join: Join;
}

/** Combines what variable `total` holds in each thread, in a fixed order; every thread gets the result. */
export function reduceInGroup(program: Program, reduction: Reduction): Value {
  return program.traits.subgroups ? reduceBySubgroups(program, reduction) : reduceAsTree(program, reduction);
}

/** Halves exchange their parts within each subgroup, then all threads combine those of the subgroups, by number. */
function reduceBySubgroups(program: Program, { threads, type, total, join }: Reduction): Value {
  const { code } = program;
  program.usesSubgroups();
  const step = code.name('step');
  // Booleans are not exchanged.
  const word = type === 'bool' ? `select(0u, 1u, ${total})` : total;
  const received = `subgroupShuffleXor(${word}, ${step})`;
  // A subgroup may be larger than a workgroup.
  code.block(`for (var ${step} = 1u; ${step} < min(subgroupSize, ${threads}u); ${step} <<= 1u)`, () => {
    const other = code.now(type === 'bool' ? `${received} != 0u` : received, type);
    code.line(`${total} = ${join(total, other.text)};`);
  });
  const shared = program.shared(type, threads);
  code.line(`if (subgroupLane == 0u) { ${shared}[subgroup] = ${total}; }`);
  code.line('workgroupBarrier();');
  code.line(`${total} = ${shared}[0];`);
  const number = code.name('number');
  code.block(`for (var ${number} = 1u; ${number} < subgroups; ${number}++)`, () => {
    code.line(`${total} = ${join(total, `${shared}[${number}]`)};`);
  });
  return code.now(total, type);
}

function reduceAsTree(program: Program, reduction: Reduction): Value {
  return tree(program, reduction, 1);
}

/** The same for a band: combines what the threads of each row hold. */
export function reduceInBand(program: Program, reduction: Reduction): Value {
  return tree(program, reduction, BAND);
}

/** Halves the threads until those of the first `rows` hold everything. */
function tree(program: Program, { threads, type, total, join }: Reduction, rows: number): Value {
  const { code } = program;
  const shared = program.shared(type, threads);
  code.line(`${shared}[lane] = ${total};`);
  code.line('workgroupBarrier();');
  const step = code.name('step');
  code.block(`for (var ${step} = ${threads / 2}; ${step} >= ${rows}; ${step} >>= 1u)`, () => {
    code.block(`if (lane < ${step})`, () => {
      code.line(`${shared}[lane] = ${join(`${shared}[lane]`, `${shared}[lane + ${step}]`)};`);
    });
    code.line('workgroupBarrier();');
  });
  return code.now(rows === 1 ? `${shared}[0]` : `${shared}[lane % ${rows}]`, type);
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
