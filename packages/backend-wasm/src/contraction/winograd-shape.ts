import {
  axesOf,
  type Contraction,
  directFactor,
  type Guard,
  type Index,
  type Linear,
  visitExprs,
} from '@evenkeel/tensor/kernel';
import type { Group } from './blocking.ts';
import type { Site } from './site.ts';

/** A 3 x 3 convolution of stride 1: a contraction whose `a` sees nothing of a position and its tap but their sum. */
export interface WinogradShape {
  /** Of images, where there are several; rows, columns; channels, taps; outputs. */
  readonly images: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly outputs: number;
  readonly axes: {
    readonly image: number | undefined;
    readonly y: number;
    readonly x: number;
    readonly channel: number;
    readonly tapY: number;
    readonly tapX: number;
    readonly output: number;
  };
}

/** Whether Winograd's algorithm computes this contraction. Sizes are those that tiles of 2 x 2 and vectors of four fit. */
export function winogradShape(kernel: Contraction, site: Site): WinogradShape | undefined {
  const { batch, m, n, k } = kernel;
  const [channels, tapRows, tapColumns] = k;
  if (batch.length > 0 || m.length < 2 || m.length > 3 || n.length !== 1 || k.length !== 3) return undefined;
  if (tapRows !== 3 || tapColumns !== 3) return undefined;
  const [height, width] = m.slice(-2) as [number, number];
  const [outputs] = n as [number];
  if (!channels || channels < 8 || channels % 4 || outputs < 8 || outputs % 4 || height % 2 || width % 2)
    return undefined;
  const y = m.length - 2;
  const axes = {
    image: m.length === 3 ? 0 : undefined,
    y,
    x: y + 1,
    output: m.length,
    channel: m.length + 1,
    tapY: m.length + 2,
    tapX: m.length + 3,
  };
  if (!slides(kernel, site, axes)) return undefined;
  return { images: m.length === 3 ? (m[0] as number) : 1, height, width, channels, outputs, axes };
}

function slides(kernel: Contraction, site: Site, axes: WinogradShape['axes']): boolean {
  const { m, n, k } = kernel;
  const position = site.at(1);
  const sizes = [...m, ...n, ...k];
  const first = position.space.sizes.length;
  const all: Group = { first: 0, sizes, count: 0 };
  const counters = sizes.map((size) => site.indices.counter(size, site.builder.i32(0)));
  all.sizes.forEach((_, axis) => {
    position.bind(axis, () => counters[axis] as Linear);
  });
  const pairs = [
    [first + axes.y, first + axes.tapY],
    [first + axes.x, first + axes.tapX],
  ] as const;
  const isSum = (linear: Linear): boolean =>
    pairs.every(([place, tap]) => {
      const isDirect = linear.terms.every(({ atom }) => {
        if (atom.kind === 'axis') return true;
        const inside = axesOf(position.space.add(atom.base, position.space.literal(0)));
        if (atom.kind === 'load') for (const guard of atom.guards) axesOf(guard.index, inside);
        return !inside.has(place) && !inside.has(tap);
      });
      return isDirect && directFactor(linear, place) === directFactor(linear, tap);
    });
  let holds = true;
  const check = (index: Index): void => {
    holds &&= isSum(position.linear(index));
  };
  const checkGuards = (guards: readonly Guard[]): void => {
    for (const { index } of guards) check(index);
  };
  visitExprs([kernel.a], (expr) => {
    if (expr.kind === 'load' || expr.kind === 'index') check(expr.index);
    if (expr.kind === 'load' || expr.kind === 'guard') checkGuards(expr.guards);
    return [];
  });
  return holds;
}
