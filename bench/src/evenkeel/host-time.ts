import { profile } from '@evenkeel/tensor';
import type { Input, Prepared } from '../process/implementation.ts';
import type { TaskOf } from '../work/task.ts';
import type { Launches } from './launches.ts';
import { TrainingRun } from './networks.ts';

/** Milliseconds of training that compilers get to do their work. */
const warmUp = 2000;

/**
 * A training step from its call until all of its kernels are handed over, for each of them: the step was compiled before, and
 * the device has nothing else to do, so that nobody waits for it.
 */
export async function prepareHostTime(
  { step }: TaskOf<'host-time'>,
  inputs: readonly Input[],
  launches: Launches,
): Promise<Prepared> {
  const training = await TrainingRun.start(step, inputs);
  const losses: number[] = [];
  for (let i = 0; i < 3; i++) losses.push(await (await training.step()).item());
  const { kernels } = await profile(() => training.step());
  const count = kernels.filter(({ kind }) => kind !== 'host').reduce((sum, kernel) => sum + kernel.launches, 0);
  const handOver = async () => {
    await launches.done();
    const started = performance.now();
    await training.step();
    return performance.now() - started;
  };
  for (const started = performance.now(); performance.now() - started < warmUp; ) await handOver();
  return {
    note: `${count} kernels a step`,
    run: async () => void (await handOver()),
    results: async () => [Float32Array.from(losses)],
    async measure(milliseconds) {
      const samples: number[] = [];
      const started = performance.now();
      do samples.push((await handOver()) / count);
      while (performance.now() - started < milliseconds);
      return samples;
    },
    dispose: () => training.dispose(),
  };
}
