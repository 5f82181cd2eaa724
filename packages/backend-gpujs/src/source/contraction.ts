import type { DType } from '@evenkeel/tensor';
import type { Contraction } from '@evenkeel/tensor/kernel';
import { Expressions } from './expressions.ts';
import { Indices } from './indices.ts';
import type { Launch } from './launch.ts';
import { Program } from './program.ts';
import { Refusal } from './refusal.ts';
import { refuseStored } from './stored.ts';

const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);

/** A launch for each store; a thread sums all products of its element. */
export function printContraction(kernel: Contraction): Launch[] {
  const { batch, m, n, k, stores, operands } = kernel;
  if (kernel.dtype !== 'float32') throw new Refusal(`gpu.js multiplies no ${kernel.dtype}`);
  const length = product([...batch, ...m, ...n]);
  if (length === 0) return [];
  return stores.map(({ operand, index, value }) => {
    refuseStored(operands[operand]?.dtype as DType);
    const program = new Program(kernel);
    const { code } = program;
    const indices = new Indices([...batch, ...m, ...n, ...k], program);
    indices.bindStore(index);
    const total = code.name('total');
    code.line(`let ${total} = 0;`);
    const expressions = new Expressions(program, indices, { accumulator: () => sum });
    const first = batch.length + m.length + n.length;
    const open = (axis: number): void => {
      const size = k[axis];
      if (size === undefined) {
        const [a, b] = [expressions.value(kernel.a), expressions.value(kernel.b)];
        code.line(`${total} = ${total} + ${a.text} * ${b.text};`);
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
    const sum = code.now(total, 'float');
    return program.finish({ kind: 'operand', number: operand }, length, expressions.value(value));
  });
}
