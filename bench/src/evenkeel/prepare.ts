import { compile, realize, type Tensor } from '@evenkeel/tensor';
import { type Input, type Prepared, Unsupported } from '../process/implementation.ts';
import type { Task } from '../work/task.ts';
import { attention, convolution, elementwise, matrixProduct, type Program } from './kernels.ts';
import type { Launches } from './launches.ts';
import { onDevice, prepareBlock, prepareSampling, prepareTraining } from './networks.ts';

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
    case 'block':
      return prepareBlock(task, inputs, launches);
    case 'train-step':
      return prepareTraining(task, inputs, launches);
    case 'sampling':
      return prepareSampling(task, inputs);
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
