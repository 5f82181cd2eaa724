import type { DType } from '@evenkeel/tensor';
import type { ScatterAdd } from '@evenkeel/tensor/kernel';
import { Expressions } from './expressions.ts';
import { Indices } from './indices.ts';
import type { Launch } from './launch.ts';
import { Program } from './program.ts';
import { refuseStored } from './stored.ts';

/** Each thread has one position of the target and looks through all updates in their order for those that it gets. */
export function printScatterAdd(kernel: ScatterAdd): Launch[] {
  const { operands, outer, size, updates, target } = kernel;
  refuseStored(operands[target.operand]?.dtype as DType);
  const length = outer.reduce((all, extent) => all * extent, size);
  if (length === 0) return [];
  const program = new Program(kernel);
  const { code } = program;
  // The last axis counts positions in one place and updates in the other, so each has indices of its own.
  const own = new Indices([...outer, size], program);
  own.bindStore(target.index);
  const initial = new Expressions(program, own).value(kernel.initial);
  const total = code.name('total');
  code.line(`let ${total} = ${initial.text};`);
  const position = own.value({ kind: 'axis', axis: outer.length });
  code.loop(updates, (update) => {
    const indices = new Indices([...outer, updates], program);
    outer.forEach((_, axis) => {
      indices.bind(axis, own.value({ kind: 'axis', axis }));
    });
    indices.bind(outer.length, update);
    const place = indices.value(kernel.position);
    code.block(`if (${place.text} == ${position.text})`, () => {
      const added = new Expressions(program, indices).value(kernel.update);
      code.line(`${total} = ${total} + ${added.text};`);
    });
  });
  return [program.finish({ kind: 'operand', number: target.operand }, length, code.now(total, 'float'))];
}
