import { profile } from '@evenkeel/tensor';
import { summarize } from '../measure/statistics.ts';
import type { Prepared } from '../process/implementation.ts';

/** A task whose runs the device's clock measures, too; each kernel for itself, so without what is between them. */
export function withDeviceClock(prepared: Prepared): Prepared {
  return {
    ...prepared,
    async deviceMilliseconds(count) {
      const samples: number[] = [];
      for (let i = 0; i < 3; i++) samples.push((await profile(() => prepared.run(count))).milliseconds / count);
      return summarize(samples).median;
    },
  };
}
