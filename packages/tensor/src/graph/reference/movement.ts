import { elementCount, type Shape, stridesOf } from '../../types/shape.ts';
import type { Node } from '../node.ts';
import type { Values } from './elementwise.ts';

/** Calls `visit(position, flat)` for every element of `shape` in row-major order; `position` is reused. */
export function eachPosition(shape: Shape, visit: (position: readonly number[], flat: number) => void): void {
  const position = shape.map(() => 0);
  const count = elementCount(shape);
  for (let flat = 0; flat < count; flat++) {
    visit(position, flat);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      position[axis] = (position[axis] as number) + 1;
      if ((position[axis] as number) < (shape[axis] as number)) break;
      position[axis] = 0;
    }
  }
}

/** Reads the source at `from(axis, position)` for every axis; NaN positions read `outside`. */
function move(
  source: Values,
  node: Node,
  from: (axis: number, position: readonly number[]) => number,
  outside = 0,
): Values {
  const input = (node.sources[0] as Node).shape;
  const strides = stridesOf(input);
  const result = new Float64Array(elementCount(node.shape));
  eachPosition(node.shape, (position, flat) => {
    let offset = 0;
    for (let axis = 0; axis < input.length; axis++) offset += from(axis, position) * (strides[axis] as number);
    result[flat] = Number.isNaN(offset) ? outside : (source[offset] as number);
  });
  return result;
}

export function permute([x]: readonly Values[], node: Node<'permute'>): Values {
  const { order } = node.attributes;
  return move(x as Values, node, (axis, position) => position[order.indexOf(axis)] as number);
}

export function expand([x]: readonly Values[], node: Node<'expand'>): Values {
  const { shape } = node.sources[0] as Node;
  return move(x as Values, node, (axis, position) => (shape[axis] === 1 ? 0 : (position[axis] as number)));
}

export function pad([x]: readonly Values[], node: Node<'pad'>): Values {
  const { low, value } = node.attributes;
  const { shape } = node.sources[0] as Node;
  const inside = (axis: number, position: readonly number[]): number => {
    const at = (position[axis] as number) - (low[axis] as number);
    return at >= 0 && at < (shape[axis] as number) ? at : Number.NaN;
  };
  return move(x as Values, node, inside, value);
}

export function slice([x]: readonly Values[], node: Node<'slice'>): Values {
  const { start, step } = node.attributes;
  return move(
    x as Values,
    node,
    (axis, position) => (start[axis] as number) + (position[axis] as number) * (step[axis] as number),
  );
}

export function flip([x]: readonly Values[], node: Node<'flip'>): Values {
  const { axes } = node.attributes;
  return move(x as Values, node, (axis, position) =>
    axes.includes(axis) ? (node.shape[axis] as number) - 1 - (position[axis] as number) : (position[axis] as number),
  );
}

export function concat(sources: readonly Values[], node: Node<'concat'>): Values {
  const { axis } = node.attributes;
  const inner = elementCount(node.shape.slice(axis + 1));
  const outer = elementCount(node.shape.slice(0, axis));
  const result = new Float64Array(elementCount(node.shape));
  let at = 0;
  for (let row = 0; row < outer; row++) {
    sources.forEach((source, i) => {
      const length = ((node.sources[i] as Node).shape[axis] as number) * inner;
      result.set(source.subarray(row * length, (row + 1) * length), at);
      at += length;
    });
  }
  return result;
}

/** Rows of `axis` chosen by indices; an index out of range reads 0. */
export function gather([x, indices]: readonly Values[], node: Node<'gather'>): Values {
  const { axis } = node.attributes;
  const { shape } = node.sources[0] as Node;
  const size = shape[axis] as number;
  const outer = elementCount(shape.slice(0, axis));
  const inner = elementCount(shape.slice(axis + 1));
  const picks = indices as Values;
  const result = new Float64Array(outer * picks.length * inner);
  for (let row = 0; row < outer; row++) {
    picks.forEach((index, i) => {
      if (index < 0 || index >= size) return;
      const from = (row * size + index) * inner;
      result.set((x as Values).subarray(from, from + inner), (row * picks.length + i) * inner);
    });
  }
  return result;
}
