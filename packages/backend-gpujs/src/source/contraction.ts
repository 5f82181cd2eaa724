import type { DType } from '@evenkeel/tensor';
import type { Contraction } from '@evenkeel/tensor/kernel';
import type { Value } from './code.ts';
import { Expressions } from './expressions.ts';
import { Indices } from './indices.ts';
import type { Launch } from './launch.ts';
import { type Computed, Program } from './program.ts';
import { Total } from './total.ts';
import { Whole } from './whole-numbers.ts';

const count = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);

/** A launch for each store; a thread sums all products of its element. */
export function printContraction(kernel: Contraction): Launch[] {
  const { batch, m, n, k, stores, operands } = kernel;
  const length = count([...batch, ...m, ...n]);
  if (length === 0) return [];
  return stores.map(({ operand, index, value }) => {
    const program = new Program(kernel, operands[operand]?.dtype as DType);
    const { code } = program;
    const indices = new Indices([...batch, ...m, ...n, ...k], program);
    indices.bindStore(index);
    const total = new Total(program, 'sum', kernel.dtype);
    const expressions = new Expressions(program, indices, { accumulator: () => sum });
    const first = batch.length + m.length + n.length;
    const open = (axis: number): void => {
      const size = k[axis];
      if (size === undefined) {
        total.add(product(program, expressions.value(kernel.a), expressions.value(kernel.b)));
        return;
      }
      if (size === 1) {
        open(axis + 1);
        return;
      }
      code.loop(size, (turn) => {
        indices.bind(first + axis, turn);
        open(axis + 1);
      });
    };
    open(0);
    const sum = total.now();
    return program.finish({ kind: 'operand', number: operand }, length, expressions.value(value));
  });
}

function product(program: Program, a: Computed, b: Computed): Computed {
  if (a instanceof Whole) return program.wholes.multiply(a, b as Whole);
  return program.code.define(`${a.text} * ${(b as Value).text}`, 'float', [a, b as Value]);
}
