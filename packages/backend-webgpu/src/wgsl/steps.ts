import type { Index } from '@evenkeel/tensor/kernel';

/** The factor of an axis in an index; 0 where it does not appear by itself. */
export function stepOf(index: Index, axis: number): number {
  switch (index.kind) {
    case 'axis':
      return index.axis === axis ? 1 : 0;
    case 'add':
      return stepOf(index.left, axis) + stepOf(index.right, axis);
    case 'mul':
      return stepOf(index.left, axis) * index.by;
    default:
      return 0;
  }
}

/** The innermost of the axes from `first` on, of these sizes, that moves at all. */
export function innermost(first: number, sizes: readonly number[]): number | undefined {
  for (let axis = sizes.length - 1; axis >= 0; axis--) if (sizes[axis] !== 1) return first + axis;
  return undefined;
}
