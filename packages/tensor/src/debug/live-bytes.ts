import type { Capabilities } from '../kernel/backend.ts';
import { elementBytes } from '../kernel/element-bytes.ts';
import type { Plan } from '../kernel/plan.ts';

/**
 * The most bytes that a plan's order of kernels makes live at once: its inputs, what it has of its outputs, and the
 * temporaries that are still to be read. No placement of temporaries can do with less.
 */
export function liveBytes({ values, steps }: Plan, capabilities: Capabilities): number {
  const change = new Float64Array(steps.length + 2);
  for (const { role, first, last, dtype, length, replaces } of values) {
    if (replaces !== undefined) continue;
    const bytes = length * elementBytes(capabilities, dtype);
    const from = role === 'input' ? 0 : first;
    const to = role === 'temporary' ? last : steps.length;
    change[from] = (change[from] as number) + bytes;
    change[to + 1] = (change[to + 1] as number) - bytes;
  }
  let live = 0;
  return change.reduce((most, bytes) => {
    live += bytes;
    return Math.max(most, live);
  }, 0);
}
