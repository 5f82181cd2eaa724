import { compile, realize, type Tensor, tensor } from '@evenkeel/tensor';
import { type Input, type Prepared, Unsupported } from '../process/serve.ts';
import type { Task } from '../work/task.ts';
import { attention, convolution, elementwise, matrixProduct, type Program } from './kernels.ts';
import type { Launches } from './launches.ts';

/** A task made ready on the current backend. */
export async function prepare(task: Task, inputs: readonly Input[], launches: Launches): Promise<Prepared> {
  switch (task.kind) {
    case 'sgemm':
      return prepareProgram(matrixProduct(), inputs, launches);
    case 'convolution':
      return prepareProgram(convolution(task), inputs, launches);
    case 'attention':
      return prepareProgram(attention(), inputs, launches);
    case 'elementwise':
      return prepareProgram(elementwise(task), inputs, launches);
    default:
      throw new Unsupported(`no program for ${task.kind}`);
  }
}

/** Inputs stay on the device; a run is one replay of the compiled program, its results freed. */
async function prepareProgram(program: Program, inputs: readonly Input[], launches: Launches): Promise<Prepared> {
  const given = inputs.map(onDevice);
  await realize(...given);
  const compiled = compile((...tensors: Tensor[]) => {
    const result = program(...tensors);
    return Array.isArray(result) ? (result as readonly Tensor[]) : [result as Tensor];
  });
  return {
    async run(count) {
      for (let i = 0; i < count; i++) for (const result of await compiled(...given)) result.dispose();
      await launches.done();
    },
    async results() {
      const results = await compiled(...given);
      const arrays = await Promise.all(results.map((result) => result.data()));
      for (const result of results) result.dispose();
      return arrays as Float32Array[];
    },
    dispose() {
      for (const one of given) one.dispose();
    },
  };
}

/** A tensor that has a buffer of its own when it is realized: plain data would stay on the host. */
function onDevice({ values, shape }: Input): Tensor {
  return tensor(values, { shape }).mul(1);
}
