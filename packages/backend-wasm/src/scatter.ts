import type { Linear, ScatterAdd } from '@evenkeel/tensor/kernel';
import { argumentsOffset, type EmittedKernel, phaseType } from './emitted-kernel.ts';
import { ExpressionValues } from './expressions.ts';
import { Indices } from './indices.ts';
import type { KernelContext } from './kernel-context.ts';
import { LoopBuilder } from './loop-builder.ts';
import type { Element } from './memory-access.ts';
import { placesOf } from './places.ts';
import { combine } from './reduction.ts';
import { splitWork } from './work-split.ts';

/** Initial values, then the updates in increasing order, each added to what is stored. Outer positions are parallel. */
export function emitScatterAdd(kernel: ScatterAdd, context: KernelContext): EmittedKernel {
  const { outer, size, updates, target } = kernel;
  const split = splitWork(outer, undefined, size + updates, context.chunkWork);
  const f = context.module.function(phaseType);
  const builder = new LoopBuilder(f);
  const [table, chunk] = [builder.parameter(0), builder.parameter(1)];
  const given = builder.op('i32.add', table, builder.i32(argumentsOffset(kernel.operands.length)));
  split.write(builder, placesOf(builder, kernel, table), chunk, ([row]) => {
    const place = row.place(target.operand);
    const elementAt = (position: Linear): { element: Element; expressions: ExpressionValues; indices: Indices } => {
      const indices = new Indices(builder, row.places, { like: row });
      indices.bind(outer.length, () => position);
      const element = { ...place, lanes: indices.linears(target.index), guards: [[]] };
      return { element, indices, expressions: new ExpressionValues(indices, context, { given }) };
    };
    builder.loop(builder.i32(0), builder.i32(size), (counter) => {
      const { element, expressions } = elementAt(row.counter(size, counter));
      expressions.prepareWrite(element, expressions.value(kernel.initial))();
    });
    builder.loop(builder.i32(0), builder.i32(updates), (counter) => {
      const { expressions, indices } = elementAt(row.counter(updates, counter));
      const added = expressions.value(kernel.update);
      const position = indices.linear(kernel.position);
      const isInside = builder.op('i32.lt_u', indices.value(position), builder.i32(size));
      builder.when(isInside, () => {
        const there = elementAt(position);
        const { vectors } = there.expressions;
        const before = there.expressions.read(there.element);
        const sum = combine(builder, vectors, 'sum', place.dtype, before, added);
        there.expressions.prepareWrite(there.element, sum)();
      });
    });
  });
  builder.finish();
  return { phases: [{ chunks: split.chunks, run: f }], threadBytes: 0, sharedBytes: 0 };
}
