import type { Contraction } from '@evenkeel/tensor/kernel';
import type { DeviceTraits } from './device-traits.ts';
import { combine, Expressions, identityOf } from './expressions.ts';
import { Indices } from './indices.ts';
import type { PrintedKernel } from './printed-kernel.ts';
import { Program, wgslTypes } from './program.ts';
import { count, writtenOperands } from './row.ts';

const THREADS = 64;

/** A contraction with a thread for each output. */
export function printContraction(kernel: Contraction, traits: DeviceTraits): PrintedKernel {
  const { operands, batch, m, n, k, dtype } = kernel;
  const program = new Program(kernel, writtenOperands(operands), traits);
  const { code } = program;
  const outer = [...batch, ...m, ...n];
  const outputs = count(outer);
  code.line(`let row = group * ${THREADS} + lane;`);
  if (outputs % THREADS !== 0) code.line(`if (row >= ${outputs}) { return; }`);
  const indices = new Indices([...outer, ...k], {
    code,
    operands,
    use: (name) => program.use(name),
    readInteger: (operand, index) => program.readInteger(operand, index),
  });
  indices.bindDigits(0, outer, code.given('row', 'i32'));
  const type = wgslTypes[dtype];
  const expressions = new Expressions(program, indices, { accumulator: () => code.named('total', type) });
  code.line(`var total = ${identityOf(program, 'sum', dtype).text};`);
  code.block(`for (var step = 0; step < ${count(k)}; step++)`, () => {
    indices.bindDigits(outer.length, k, code.named('step', 'i32'));
    const [a, b] = [expressions.value(kernel.a), expressions.value(kernel.b)];
    code.line(`total = ${combine(program, 'sum', dtype, 'total', `${a.text} * ${b.text}`)};`);
  });
  expressions.forget();
  const stores = kernel.stores.map((store) => expressions.prepareStore(store));
  for (const store of stores) store();
  return { launches: [program.finish(Math.ceil(outputs / THREADS), [THREADS, 1])], scratch: [] };
}
