import { type AxisTarget, directFactor, type IndexSpace } from '../kernel/index-math.ts';

/** Adjacent axes that every index steps through together become one loop: runs of axes, slowest first. */
export function mergeAxes(space: IndexSpace, axes: readonly number[]): number[][] {
  const runs: number[][] = [];
  const used = [...space.used];
  for (const axis of axes) {
    if (space.sizes[axis] === 1) continue;
    const run = runs[runs.length - 1];
    const previous = run?.[run.length - 1];
    const size = space.sizes[axis] as number;
    if (
      run &&
      previous !== undefined &&
      used.every((index) => directFactor(index, previous) === directFactor(index, axis) * size)
    )
      run.push(axis);
    else runs.push([axis]);
  }
  return runs;
}

/** Elements that a run of merged axes counts. */
export function runSize(space: IndexSpace, run: readonly number[]): number {
  return run.reduce((product, axis) => product * (space.sizes[axis] as number), 1);
}

/** Kernel axis numbers for groups of runs, in order. */
export function numberAxes(space: IndexSpace, groups: readonly (readonly number[][])[]): AxisTarget[] {
  const targets: AxisTarget[] = space.sizes.map(() => ({ axis: -1, carries: false }));
  groups.flat().forEach((run, axis) => {
    run.forEach((member, i) => {
      targets[member] = { axis, carries: i === run.length - 1 };
    });
  });
  return targets;
}
