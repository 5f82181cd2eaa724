/** Sizes of a tensor's axes, outermost first. `[]` is a scalar. */
export type Shape = readonly number[];

/**
 * Number of elements; 1 for a scalar, 0 when any axis is empty.
 *
 * @example
 * elementCount([2, 3]); // 6
 */
export function elementCount(shape: Shape): number {
  let count = 1;
  for (const size of shape) count *= size;
  return count;
}

/** Row-major strides in elements: `[3, 4]` gives `[4, 1]`. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis] as number;
  }
  return strides;
}

/** Runs of axes, as [start, end), that count the same elements in two shapes of equal size. */
export interface ReshapePart {
  readonly from: readonly [start: number, end: number];
  readonly to: readonly [start: number, end: number];
}

/** The smallest parts that a reshape keeps apart: `[2, 3, 4]` to `[6, 4]` has `[2, 3]` to `[6]` and `[4]` to `[4]`. */
export function reshapeParts(from: Shape, to: Shape): ReshapePart[] {
  if (elementCount(from) === 0) return [{ from: [0, from.length], to: [0, to.length] }];
  const parts: ReshapePart[] = [];
  let [i, j] = [0, 0];
  while (i < from.length || j < to.length) {
    const [fromStart, toStart] = [i, j];
    let [left, right] = [from[i++] ?? 1, to[j++] ?? 1];
    while (left !== right) {
      if (left < right) left *= from[i++] as number;
      else right *= to[j++] as number;
    }
    parts.push({ from: [fromStart, Math.min(i, from.length)], to: [toStart, Math.min(j, to.length)] });
  }
  return parts;
}

/**
 * Whether two shapes have the same rank and sizes.
 *
 * @example
 * sameShape([2, 3], [3, 2]); // false
 */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/**
 * How a shape prints in messages: `[2, 3]`.
 *
 * @example
 * showShape([2, 3]); // '[2, 3]'
 */
export function showShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/**
 * The shape that all of `shapes` broadcast to, NumPy's rule: aligned at the last axis, sizes equal or 1.
 *
 * @throws when two sizes differ and neither is 1; `where` names the caller in the message.
 * @example
 * broadcastShapes('add', [8, 1, 3], [5, 1]); // [8, 5, 3]
 */
export function broadcastShapes(where: string, ...shapes: readonly Shape[]): number[] {
  const [head] = shapes;
  if (head !== undefined && shapes.every((shape) => sameShape(shape, head))) return [...head];
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const result = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    const offset = rank - shape.length;
    shape.forEach((size, axis) => {
      const current = result[axis + offset] as number;
      if (current === 1) result[axis + offset] = size;
      else if (size !== 1 && size !== current) {
        throw new Error(
          `${where}: shapes ${shapes.map(showShape).join(' and ')} do not broadcast: axis ${axis + offset - rank} has sizes ${current} and ${size}. Sizes must be equal or 1`,
        );
      }
    });
  }
  return result;
}

/**
 * An axis number in `0 ... rank - 1`; negative axes count from the end.
 *
 * @throws when the axis is not a whole number in `-rank ... rank - 1`.
 * @example
 * normalizeAxis('sum', -1, 3); // 2
 */
export function normalizeAxis(where: string, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    const fix = rank === 0 ? 'A scalar has no axes' : `Axes go from ${-rank} to ${rank - 1}`;
    throw new Error(`${where}: axis ${axis} is outside a tensor of rank ${rank}. ${fix}`);
  }
  return axis < 0 ? axis + rank : axis;
}
