import type { ScatterAdd } from '@evenkeel/tensor/kernel';
import { count, writtenOperands } from './axes.ts';
import type { DeviceTraits } from './device-traits.ts';
import { Expressions } from './expressions.ts';
import type { Indices } from './indices.ts';
import type { PrintedKernel } from './printed-kernel.ts';
import { Program, wgslTypes } from './program.ts';

const THREADS = 64;

/**
 * Each thread has one position of the target and looks through all updates in their order for those that it gets, so
 * sums have the same bits every time, without atomics.
 */
export function printScatterAdd(kernel: ScatterAdd, traits: DeviceTraits): PrintedKernel {
  const { operands, outer, size, updates, target } = kernel;
  const program = new Program(kernel, writtenOperands(operands), traits);
  const { code } = program;
  const positions = count(outer) * size;
  code.line(`let row = group * ${THREADS} + lane;`);
  if (positions % THREADS !== 0) code.line(`if (row >= ${positions}) { return; }`);
  const row = code.given('row', 'i32');
  // The last axis counts positions in one place and updates in the other, so each has indices of its own.
  const indicesOver = (last: number): Indices => program.indices([...outer, last]);
  const position = code.define(`row % ${size}`, 'i32', [row]);
  const own = indicesOver(size);
  own.bindDigits(0, [...outer, size], row);
  const { dtype } = operands[target.operand] as (typeof operands)[number];
  const type = wgslTypes[dtype];
  const initial = new Expressions(program, own).value(kernel.initial);
  code.line(`var total = ${initial.text};`);
  code.block(`for (var update = 0; update < ${updates}; update++)`, () => {
    const indices = indicesOver(updates);
    const rest = code.define(`row / ${size}`, 'i32', [row]);
    indices.bindDigits(0, outer, rest);
    indices.bind(outer.length, code.named('update', 'i32'));
    const place = indices.value(kernel.position);
    code.block(`if (${place.text} == ${position.text})`, () => {
      const added = new Expressions(program, indices).value(kernel.update);
      const sum = code.now(`total + ${added.text}`, type);
      code.line(`total = ${dtype === 'float16' ? `${program.use('roundToHalf')}(${sum.text})` : sum.text};`);
    });
  });
  program.store(target.operand, own.value(target.index), code.named('total', type));
  return { launches: [program.finish(Math.ceil(positions / THREADS), [THREADS, 1])], scratch: [] };
}
