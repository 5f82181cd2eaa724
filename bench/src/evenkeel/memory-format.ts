import type { Tensor } from '@evenkeel/tensor';
import type { Input, Prepared } from '../process/implementation.ts';
import type { Task } from '../work/task.ts';

/** How the values of images lie in memory. */
export interface MemoryFormat {
  readonly name: string;
  /** Images `[N, C, H, W]` as they are held, and back. */
  readonly hold: (images: Tensor) => Tensor;
  readonly show: (held: Tensor) => Tensor;
}

const rowMajor: MemoryFormat = { name: 'NCHW', hold: (images) => images, show: (held) => held };
const channelsLast: MemoryFormat = {
  name: 'channels last',
  hold: (images) => images.permute([0, 2, 3, 1]),
  show: (held) => held.permute([0, 3, 1, 2]),
};

/** Which inputs of a task are images, and whether its result is. Undefined for tasks without. */
export function imagesOf(task: Task, inputs: readonly Input[]): { inputs: boolean[]; result: boolean } | undefined {
  const isPixelNorm = task.kind === 'elementwise' && task.operation === 'pixel-norm';
  if (task.kind !== 'convolution' && !isPixelNorm) return undefined;
  return {
    inputs: inputs.map(({ name }) => name !== 'weight'),
    result: task.kind !== 'convolution' || task.role !== 'weight-gradient',
  };
}

/** The task in the format in which it is faster in the better of three runs, as it is chosen for PyTorch. */
export async function inFasterFormat(prepareIn: (format: MemoryFormat) => Promise<Prepared>): Promise<Prepared> {
  let best: { prepared: Prepared; name: string; milliseconds: number } | undefined;
  for (const format of [rowMajor, channelsLast]) {
    const prepared = await prepareIn(format);
    await prepared.run(2);
    let milliseconds = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 3; i++) {
      const started = performance.now();
      await prepared.run(1);
      milliseconds = Math.min(milliseconds, performance.now() - started);
    }
    const [kept, left] =
      best === undefined || milliseconds < best.milliseconds
        ? [{ prepared, name: format.name, milliseconds }, best?.prepared]
        : [best, prepared];
    await left?.dispose();
    best = kept;
  }
  const { prepared, name } = best as NonNullable<typeof best>;
  return { ...prepared, note: name };
}
