// js-pytorch: `js-pytorch.mjs <threads>`. It has no convolution.
import { type Input, type Prepared, Unsupported } from '../process/implementation.ts';
import { serve } from '../process/serve.ts';
import type { Task } from '../work/task.ts';

/** Its data are nested arrays. */
interface JsTensor {
  readonly data: readonly (readonly number[])[];
}

interface JsPytorch {
  readonly torch: {
    tensor(data: readonly (readonly number[])[]): JsTensor;
    matmul(a: JsTensor, b: JsTensor): JsTensor;
  };
}

const name = 'js-pytorch';
const { torch } = (await import(name)) as JsPytorch;

async function prepare(task: Task, inputs: readonly Input[]): Promise<Prepared> {
  if (task.kind !== 'sgemm') throw new Unsupported('only matrix products');
  const [a, b] = inputs.map((input) => torch.tensor(rowsOf(input))) as [JsTensor, JsTensor];
  let product: JsTensor;
  return {
    async run(count) {
      for (let i = 0; i < count; i++) product = torch.matmul(a, b);
    },
    results: async () => [Float32Array.from(product.data.flat())],
    dispose: () => undefined,
  };
}

function rowsOf({ values, shape }: Input): number[][] {
  const [rows, columns] = shape as [number, number];
  return Array.from({ length: rows }, (_, i) => Array.from(values.subarray(i * columns, (i + 1) * columns)));
}

await serve({ about: { node: process.version }, prepare });
process.exit();
