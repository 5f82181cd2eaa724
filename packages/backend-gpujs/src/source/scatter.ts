import type { DType } from '@evenkeel/tensor';
import type { ScatterAdd } from '@evenkeel/tensor/kernel';
import { Expressions } from './expressions.ts';
import { Indices } from './indices.ts';
import type { Launch } from './launch.ts';
import { Program } from './program.ts';
import { Total } from './total.ts';

/** Each thread has one position of the target and looks through all updates in their order for those that it gets. */
export function printScatterAdd(kernel: ScatterAdd): Launch[] {
  const { operands, outer, size, updates, target } = kernel;
  const dtype = operands[target.operand]?.dtype as DType;
  const length = outer.reduce((all, extent) => all * extent, size);
  if (length === 0) return [];
  const program = new Program(kernel, dtype);
  const { code } = program;
  // The last axis counts positions in one place and updates in the other, so each has indices of its own.
  const own = new Indices([...outer, size], program);
  own.bindStore(target.index);
  const initial = new Expressions(program, own).value(kernel.initial);
  const total = new Total(program, 'sum', dtype, initial);
  const position = own.value({ kind: 'axis', axis: outer.length });
  code.loop(updates, (update) => {
    const indices = new Indices([...outer, updates], program);
    outer.forEach((_, axis) => {
      indices.bind(axis, own.value({ kind: 'axis', axis }));
    });
    indices.bind(outer.length, update);
    const place = indices.value(kernel.position);
    code.block(`if (${place.text} == ${position.text})`, () => {
      total.add(new Expressions(program, indices).value(kernel.update));
    });
  });
  return [program.finish({ kind: 'operand', number: target.operand }, length, total.now())];
}
