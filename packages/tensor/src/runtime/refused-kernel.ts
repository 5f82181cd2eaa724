import { compileKernel } from '../backend-js/index.ts';
import type { HostFunction } from '../graph/node.ts';
import type { Kernel, Operand } from '../kernel/ir.ts';
import { hostArray } from '../types/dtype.ts';

/** What a host step runs in place of a kernel that the backend refuses: the same kernel in plain JavaScript. */
export function hostFunctionOf(kernel: Kernel, output: number): HostFunction {
  const run = compileKernel(kernel);
  return async (inputs, launchArguments) => {
    let next = 0;
    const arrays = kernel.operands.map((operand, i) => {
      if (operand.access === 'out') return hostArray(operand.dtype, storedLength(kernel, i));
      const given = inputs[next++] as ReturnType<typeof hostArray>;
      return operand.access === 'inout' ? copyOf(operand, given) : given;
    });
    await run(arrays, launchArguments);
    return arrays[output] as ReturnType<typeof hostArray>;
  };
}

function copyOf({ dtype }: Operand, values: ReturnType<typeof hostArray>): ReturnType<typeof hostArray> {
  const copy = hostArray(dtype, values.length);
  copy.set(values);
  return copy;
}

/** Elements of an operand that a kernel writes: it writes each once. */
function storedLength(kernel: Kernel, operand: number): number {
  switch (kernel.kind) {
    case 'row': {
      const store = kernel.stages.find((stage) => stage.kind === 'store' && stage.store.operand === operand);
      const axes =
        store?.kind === 'store' && store.domain === 'element' ? [...kernel.outer, ...kernel.inner] : kernel.outer;
      return product(axes);
    }
    case 'contraction':
      return product([...kernel.batch, ...kernel.m, ...kernel.n]);
    case 'scatterAdd':
      return product(kernel.outer) * kernel.size;
    case 'host':
      throw new Error('schedule: a host step was refused by a backend. Host steps run on every backend');
  }
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((result, size) => result * size, 1);
}
