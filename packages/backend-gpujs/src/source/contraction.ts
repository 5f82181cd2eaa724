import type { DType } from '@evenkeel/tensor';
import type { Contraction } from '@evenkeel/tensor/kernel';
import type { Value } from './code.ts';
import { Expressions } from './expressions.ts';
import { Indices } from './indices.ts';
import type { Launch } from './launch.ts';
import { type Computed, Program } from './program.ts';
import { Total } from './total.ts';
import type { Traits } from './traits.ts';
import { isWhole, Whole } from './whole-numbers.ts';

const count = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);

/**
 * A launch for each store. A thread sums all products of four elements that lie side by side, where it can: what they share
 * of the operands is read once.
 */
export function printContraction(kernel: Contraction, { byFours, unrolls }: Traits): Launch[] {
  const { batch, m, n, k, stores, operands } = kernel;
  const sizes = [...batch, ...m, ...n, ...k];
  const length = count([...batch, ...m, ...n]);
  if (length === 0) return [];
  return stores.map(({ operand, index, value }) => {
    const dtype = operands[operand]?.dtype as DType;
    const isPacked = byFours && !isWhole(dtype) && new Indices(sizes, new Program(kernel, dtype)).storesByFours(index);
    const program = new Program(kernel, dtype, isPacked);
    const { code } = program;
    const elements = (isPacked ? [0, 1, 2, 3] : [0]).map((next) => {
      const indices = new Indices(sizes, program);
      indices.bindStore(index, next);
      const total = new Total(program, 'sum', kernel.dtype);
      let sum: Computed | undefined;
      const expressions = new Expressions(program, indices, {
        accumulator: () => {
          sum ??= total.now();
          return sum;
        },
      });
      return { indices, total, expressions };
    });
    const first = batch.length + m.length + n.length;
    // The longest loop is the innermost: most of the indices and guards stand still in it.
    const loops = k.map((size, i) => ({ size, axis: first + i })).sort((a, b) => a.size - b.size);
    const open = (depth: number): void => {
      const loop = loops[depth];
      if (loop === undefined) {
        const factors = elements.map(({ expressions }) => [expressions.value(kernel.a), expressions.value(kernel.b)]);
        elements.forEach(({ total }, i) => {
          total.add(product(program, ...(factors[i] as [Computed, Computed])));
        });
        return;
      }
      if (loop.size === 1) {
        open(depth + 1);
        return;
      }
      // Compilers of cards unroll loops by themselves, gpu.js's WebAssembly does not.
      const turns = unrolls && depth === loops.length - 1 && loop.size % 4 === 0 ? 4 : 1;
      code.loop(loop.size / turns, (turn) => {
        for (let next = 0; next < turns; next++) {
          const at = turns === 1 ? turn : code.define(`${turn.text} * ${turns} + ${next}`, 'float', [turn]);
          for (const { indices, expressions } of elements) {
            indices.bind(loop.axis, at);
            expressions.forget();
          }
          open(depth + 1);
        }
      });
    };
    open(0);
    const values = elements.map(({ expressions }) => expressions.value(value));
    return program.finish({ kind: 'operand', number: operand }, length, ...values);
  });
}

function product(program: Program, a: Computed, b: Computed): Computed {
  if (a instanceof Whole) return program.wholes.multiply(a, b as Whole);
  return program.code.define(`${a.text} * ${(b as Value).text}`, 'float', [a, b as Value]);
}
