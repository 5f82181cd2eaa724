import { commit, explain, profile } from '@evenkeel/tensor';
import { summarize } from '../measure/statistics.ts';
import { load } from '../process/serve.ts';
import type { InputFile, TaskOf } from '../work/task.ts';
import type { Launches } from './launches.ts';
import { TrainingRun } from './networks.ts';

const steps = 8;

/**
 * What surrounds the kernels of a training step: milliseconds until its plan is handed to the workers, when it has to be made
 * and when it is known; wall time of a step less the time that workers are busy; bytes of its plan.
 */
export async function measurePlan(
  task: TaskOf<'train-step'>,
  inputs: readonly InputFile[],
  launches: Launches,
): Promise<Record<string, number>> {
  const training = await TrainingRun.start(task, await Promise.all(inputs.map(load)));
  const step = async () => {
    const started = performance.now();
    await (await training.step()).item();
    return launches.at - started;
  };
  const cold = await step();
  await step();
  const cached: number[] = [];
  const overheads: number[] = [];
  for (let i = 0; i < steps; i++) {
    const { result, wallMilliseconds, busyMilliseconds } = await profile(step, { kernels: false });
    cached.push(result);
    if (busyMilliseconds !== undefined) overheads.push(wallMilliseconds - busyMilliseconds);
  }
  const { peakBytes } = explain(training.assign());
  await commit();
  training.dispose();
  return {
    'edm2-plan-cold': cold,
    'edm2-plan-cached': summarize(cached).median,
    ...(overheads.length === 0 ? {} : { 'edm2-host-overhead': summarize(overheads).median }),
    'edm2-plan-memory': peakBytes / 2 ** 20,
  };
}
