import {
  axesOf,
  type Contraction,
  directFactor,
  type Guard,
  type Index,
  type Linear,
  visitExprs,
} from '@evenkeel/tensor/kernel';
import type { Site } from './site.ts';

/**
 * A 3 x 3 convolution of stride 1, or the gradient of its weights: a contraction whose `a` sees nothing of a position and
 * its tap but their sum.
 */
export interface WinogradShape {
  readonly role: 'forward' | 'weightGradient';
  /** Sizes: of the output, or its gradient. */
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

/** Whether Winograd's algorithm computes this contraction. Channels are those that vectors of four fit. */
export function winogradShape(kernel: Contraction, site: Site): WinogradShape | undefined {
  const { batch, m, n, k } = kernel;
  if (batch.length > 0 || n.length !== 1) return undefined;
  const isForward = isTaps(k);
  if (!isForward && !isTaps(m)) return undefined;
  const [positions, taps] = isForward ? [m, k] : [k, m];
  if (positions.length < 2 || positions.length > 3) return undefined;
  const [firstPosition, firstTap] = isForward ? [0, m.length + 1] : [m.length + 1, 0];
  const [height, width] = positions.slice(-2) as [number, number];
  const [channels, outputs] = [taps[0] as number, n[0] as number];
  const images = positions.length === 3 ? (positions[0] as number) : 1;
  const fits = channels >= 8 && channels % 4 === 0 && outputs >= 8 && outputs % 4 === 0;
  // Tiles that reach far over the edges do not pay.
  const covered = 4 * Math.ceil(height / 2) * Math.ceil(width / 2);
  if (!fits || images * height * width === 0 || covered > 1.5 * height * width) return undefined;
  const y = firstPosition + positions.length - 2;
  const axes = {
    image: positions.length === 3 ? firstPosition : undefined,
    y,
    x: y + 1,
    output: m.length,
    channel: firstTap,
    tapY: firstTap + 1,
    tapX: firstTap + 2,
  };
  if (!slides(kernel, site, axes)) return undefined;
  return { role: isForward ? 'forward' : 'weightGradient', images, height, width, channels, outputs, axes };
}

function isTaps(sizes: readonly number[]): boolean {
  return sizes.length === 3 && sizes[1] === 3 && sizes[2] === 3;
}

function slides(kernel: Contraction, site: Site, axes: WinogradShape['axes']): boolean {
  const { m, n, k } = kernel;
  const position = site.at(1);
  const sizes = [...m, ...n, ...k];
  const first = position.space.sizes.length;
  const counters = sizes.map((size) => site.indices.counter(size, site.builder.i32(0)));
  sizes.forEach((_, axis) => {
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
