import type { Contraction } from '@evenkeel/tensor/kernel';
import { count, writtenOperands } from '../axes.ts';
import type { DeviceTraits } from '../device-traits.ts';
import { combine, Expressions, identityOf } from '../expressions.ts';
import type { Indices } from '../indices.ts';
import type { Launch } from '../printed-kernel.ts';
import { Program, wgslTypes } from '../program.ts';

const THREADS = 64;

/** A contraction with a thread for each output. */
export function printPlain(kernel: Contraction, traits: DeviceTraits): Launch {
  const { batch, m, n, k, dtype } = kernel;
  return printOutputs(kernel, traits, (program, indices) => {
    const { code } = program;
    const expressions = new Expressions(program, indices);
    code.block(`for (var step = 0; step < ${count(k)}; step++)`, () => {
      indices.bindDigits(batch.length + m.length + n.length, k, code.named('step', 'i32'));
      const [a, b] = [expressions.value(kernel.a), expressions.value(kernel.b)];
      code.line(`total = ${combine(program, 'sum', dtype, 'total', `${a.text} * ${b.text}`)};`);
    });
  });
}

/** Adds the parts of split sums in their order, and finishes the contraction. */
export function printSumOfParts(kernel: Contraction, splits: number, traits: DeviceTraits): Launch {
  const outputs = count([...kernel.batch, ...kernel.m, ...kernel.n]);
  return printOutputs(kernel, traits, (program) => {
    const { code } = program;
    const part = `${program.scratch(0, false)}[part * ${outputs} + row]`;
    code.block(`for (var part = 0; part < ${splits}; part++)`, () => {
      code.line(`total += ${program.fromBits(part, wgslTypes[kernel.dtype])};`);
    });
  });
}

/** A thread for each output, `row`, whose sum `sum` puts into variable `total`. */
function printOutputs(
  kernel: Contraction,
  traits: DeviceTraits,
  sum: (program: Program, indices: Indices) => void,
): Launch {
  const { operands, batch, m, n, k, dtype } = kernel;
  const program = new Program(kernel, writtenOperands(operands), traits);
  const { code } = program;
  const outer = [...batch, ...m, ...n];
  const outputs = count(outer);
  code.line(`let row = group * ${THREADS} + lane;`);
  if (outputs % THREADS !== 0) code.line(`if (row >= ${outputs}) { return; }`);
  const indices = program.indices([...outer, ...k]);
  indices.bindDigits(0, outer, code.given('row', 'i32'));
  code.line(`var total = ${identityOf(program, 'sum', dtype).text};`);
  sum(program, indices);
  const total = code.named('total', wgslTypes[dtype]);
  const expressions = new Expressions(program, indices, { accumulator: () => total });
  const stores = kernel.stores.map((store) => expressions.prepareStore(store));
  for (const store of stores) store();
  return program.finish(Math.ceil(outputs / THREADS), [THREADS, 1]);
}
