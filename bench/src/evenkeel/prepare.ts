import { compile, realize, type Tensor } from '@evenkeel/tensor';
import { type Input, type Prepared, Unsupported } from '../process/implementation.ts';
import type { Task, TaskOf } from '../work/task.ts';
import { prepareHostTime } from './host-time.ts';
import { attention, chain, convolution, elementwise, matrixProduct, type Program } from './kernels.ts';
import type { Launches } from './launches.ts';
import { imagesOf, inFasterFormat } from './memory-format.ts';
import { onDevice, prepareBlock, prepareSampling, prepareTraining } from './networks.ts';

/** A task made ready on the current backend. */
export async function prepare(task: Task, inputs: readonly Input[], launches: Launches): Promise<Prepared> {
  switch (task.kind) {
    case 'sgemm':
    case 'convolution':
    case 'attention':
    case 'chain':
    case 'elementwise': {
      const program = programOf(task);
      const images = imagesOf(task, inputs);
      if (images === undefined) return prepareProgram(program, inputs, launches);
      return inFasterFormat(({ hold, show }) => {
        const held = (input: Input, i: number): Tensor => {
          return images.inputs[i] ? hold(onDevice(input)) : onDevice(input);
        };
        const shown = (tensor: Tensor, i: number): Tensor => (images.inputs[i] ? show(tensor) : tensor);
        const inner: Program = (...tensors) => {
          const result = program(...tensors.map(shown)) as Tensor;
          return images.result ? hold(result) : result;
        };
        return prepareProgram(inner, inputs, launches, { held, read: images.result ? show : undefined });
      });
    }
    case 'block':
      return prepareBlock(task, inputs, launches);
    case 'train-step':
      return prepareTraining(task, inputs, launches);
    case 'sampling':
      return prepareSampling(task, inputs, launches);
    case 'host-time':
      return prepareHostTime(task, inputs, launches);
    default:
      throw new Unsupported(`no program for ${task.kind}`);
  }
}

function programOf(task: TaskOf<'sgemm' | 'convolution' | 'attention' | 'chain' | 'elementwise'>): Program {
  switch (task.kind) {
    case 'sgemm':
      return matrixProduct();
    case 'convolution':
      return convolution(task);
    case 'attention':
      return attention();
    case 'chain':
      return chain(task);
    case 'elementwise':
      return elementwise(task);
  }
}

/** Inputs stay on the device, as `held` says; a run is one replay of the compiled program, its results freed. */
async function prepareProgram(
  program: Program,
  inputs: readonly Input[],
  launches: Launches,
  { held = onDevice, read = (result) => result }: HeldValues = {},
): Promise<Prepared> {
  const given = inputs.map(held);
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
      const arrays = await Promise.all(results.map((result) => read(result).data()));
      for (const result of results) result.dispose();
      return arrays as Float32Array[];
    },
    dispose() {
      for (const one of given) one.dispose();
    },
  };
}

/** How inputs are held on the device, and results read from it. */
interface HeldValues {
  readonly held?: (input: Input, index: number) => Tensor;
  readonly read?: ((result: Tensor) => Tensor) | undefined;
}
