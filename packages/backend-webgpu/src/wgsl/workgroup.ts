import type { Value, WgslType } from './code.ts';
import type { Program } from './program.ts';

type Join = (a: string, b: string) => string;

interface Reduction {
  readonly threads: number;
  /** Rows that share the workgroup. */
  readonly rows: number;
  readonly type: WgslType;
  /** The variable that holds a thread's part. */
  readonly total: string;
  readonly join: Join;
}

/** Combines what variable `total` holds in each thread, in a fixed order; every thread gets the result. */
export function reduceInGroup(program: Program, reduction: Reduction): Value {
  const { threads, type, total, join } = reduction;
  if (!program.traits.subgroupThreads) return halve(program, reduction, threads, 'lane');
  const { code } = program;
  // A subgroup may be larger than a workgroup.
  exchange(program, reduction, `min(subgroupSize, ${threads}u)`);
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

/** The same for the rows of a band, whose neighbouring threads have neighbouring rows. */
export function reduceInBand(program: Program, reduction: Reduction): Value {
  return halve(program, reduction, reduction.threads, 'lane', `lane % ${reduction.rows}`);
}

/** The same for teams, neighbouring threads that share a row. */
export function reduceInTeams(program: Program, reduction: Reduction): Value {
  const { threads, rows, total, type } = reduction;
  const each = threads / rows;
  if (each > program.traits.subgroupThreads) {
    return halve(program, reduction, each, `(lane % ${each})`, `lane - lane % ${each}`);
  }
  exchange(program, reduction, `${each}u`);
  return program.code.now(total, type);
}

/** Threads whose numbers differ in one digit exchange what they have, for all digits of numbers below `count`. */
function exchange(program: Program, { type, total, join }: Reduction, count: string): void {
  const { code } = program;
  program.usesSubgroups();
  const step = code.name('step');
  // Booleans are not exchanged.
  const word = type === 'bool' ? `select(0u, 1u, ${total})` : total;
  const received = `subgroupShuffleXor(${word}, ${step})`;
  code.block(`for (var ${step} = 1u; ${step} < ${count}; ${step} <<= 1u)`, () => {
    const other = code.now(type === 'bool' ? `${received} != 0u` : received, type);
    code.line(`${total} = ${join(total, other.text)};`);
  });
}

/** Halves the threads, `count` of each row numbered by `part`, until the first of each row holds everything. */
function halve(
  program: Program,
  { threads, rows, type, total, join }: Reduction,
  count: number,
  part: string,
  result = '0',
): Value {
  const { code } = program;
  const shared = program.shared(type, threads);
  code.line(`${shared}[lane] = ${total};`);
  code.line('workgroupBarrier();');
  const step = code.name('step');
  const least = count === threads ? rows : 1;
  code.block(`for (var ${step} = ${count / 2}; ${step} >= ${least}; ${step} >>= 1u)`, () => {
    code.block(`if (${part} < ${step})`, () => {
      code.line(`${shared}[lane] = ${join(`${shared}[lane]`, `${shared}[lane + ${step}]`)};`);
    });
    code.line('workgroupBarrier();');
  });
  return code.now(`${shared}[${result}]`, type);
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
