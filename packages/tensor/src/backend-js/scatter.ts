import type { ScatterAdd } from '../kernel/ir.ts';
import { ExpressionValues } from './expression-values.ts';
import { IndexValues } from './index-values.ts';
import { LoopBuilder } from './loop-builder.ts';
import type { ArrayReference, LoopProgram, Value } from './loops.ts';
import { operandNames } from './operand-names.ts';

/** Initial values, then the updates in increasing order, each added to what is stored. */
export function lowerScatterAdd(kernel: ScatterAdd): LoopProgram {
  const { operands, outer, size, updates, target } = kernel;
  const builder = new LoopBuilder((array) => {
    return array.kind === 'operand' && operands[array.number]?.access !== 'in';
  });
  const dtype = (operands[target.operand] as { dtype: ScatterAdd['initial']['dtype'] }).dtype;
  const array: ArrayReference = { kind: 'operand', number: target.operand };
  const last = outer.length;
  // The last axis counts positions in one loop and updates in the other, so each has indices of its own.
  const bound: [number, Value][] = [];
  const indicesOver = (count: number, loop: Value): { indices: IndexValues; expressions: ExpressionValues } => {
    const indices = new IndexValues(builder, [...outer, count], operands);
    for (const [axis, value] of bound) indices.bind(axis, value);
    indices.bind(last, loop);
    return { indices, expressions: new ExpressionValues(builder, indices, kernel, []) };
  };
  const open = (axis: number): void => {
    if (axis < outer.length) {
      const extent = outer[axis] as number;
      builder.loop(`o${axis}`, builder.number(0), builder.number(extent), (index) => {
        bound.push([axis, index]);
        open(axis + 1);
        bound.pop();
      });
      return;
    }
    builder.loop('position', builder.number(0), builder.number(size), (position) => {
      const { expressions } = indicesOver(size, position);
      expressions.prepareStore({ ...target, value: kernel.initial })();
    });
    builder.loop('update', builder.number(0), builder.number(updates), (update) => {
      const { indices, expressions } = indicesOver(updates, update);
      const added = expressions.value(kernel.update);
      const position = indices.linear(kernel.position);
      const value = indices.valueOf(position);
      const zero = builder.number(0);
      const inside = builder.call(
        'and',
        builder.call('lessEqual', zero, value),
        builder.call('less', value, builder.number(size)),
      );
      indices.substitute(last, position);
      const place = indices.value(target.index);
      const before = builder.read(array, place, { guard: inside });
      const integerAdd = dtype === 'uint32' ? 'addUint' : 'addInt';
      const isInteger = dtype === 'int32' || dtype === 'uint32';
      const sum = builder.call(isInteger ? integerAdd : 'add', before, added);
      builder.write(array, place, expressions.rounded(sum, dtype), inside);
    });
  };
  open(0);
  return builder.finish('scatterAdd', operandNames(operands));
}
