import type { Contraction } from './ir.ts';
import { slideOf } from './slide.ts';

/** A contraction that is a 3 x 3 convolution of stride 1, or the gradient of its weights. */
export interface ThreeByThree {
  readonly role: 'forward' | 'weightGradient';
  /** Sizes, of one group: `height` and `width` are those of the convolution's output, or of its gradient. */
  readonly images: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly outputs: number;
  /** Axis numbers; a batch of one image has no axis. */
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

/**
 * Finds a 3 x 3 convolution by how the operands are indexed: `a` sees nothing of a position and its tap but their sum.
 *
 * @example
 * const add = (left: Index, right: Index): Index => ({ kind: 'add', left, right });
 * const [y, x, , channel, tapY, tapX] = [0, 1, 2, 3, 4, 5].map((axis): Index => ({ kind: 'axis', axis }));
 * const row: Index = { kind: 'mul', left: add(y!, tapY!), by: 10 }; // of 10 x 10 inputs, 8 x 8 outputs
 * const index = add({ kind: 'mul', left: channel!, by: 100 }, add(row, add(x!, tapX!)));
 * const a: Expr = { kind: 'load', dtype: 'float32', operand: 0, index, guards: [] };
 * const sizes = { batch: [], m: [8, 8], n: [4], k: [2, 3, 3] };
 * const empty = { operands: [], arguments: [], stores: [] };
 * const conv: Contraction = { kind: 'contraction', dtype: 'float32', ...empty, ...sizes, a, b: a };
 * threeByThree(conv); // { role: 'forward', height: 8, width: 8, channels: 2, outputs: 4 }
 */
export function threeByThree(kernel: Contraction): ThreeByThree | undefined {
  const { batch, m, n, k } = kernel;
  if (n.length !== 1) return undefined;
  const isForward = isTaps(k);
  if (!isForward && !isTaps(m)) return undefined;
  const [positions, taps] = isForward ? [m, k] : [k, m];
  if (positions.length < 2 || positions.length > 3) return undefined;
  const [firstM, firstK] = [batch.length, batch.length + m.length + 1];
  const [firstPosition, firstTap] = isForward ? [firstM, firstK] : [firstK, firstM];
  const y = firstPosition + positions.length - 2;
  const axes = {
    image: positions.length === 3 ? firstPosition : undefined,
    y,
    x: y + 1,
    channel: firstTap,
    tapY: firstTap + 1,
    tapX: firstTap + 2,
    output: firstK - 1,
  };
  const slides = [slideOf(kernel, axes.y, axes.tapY), slideOf(kernel, axes.x, axes.tapX)];
  if (!slides.every((slide) => slide?.stride === 1 && slide.dilation === 1)) return undefined;
  const [height, width] = positions.slice(-2) as [number, number];
  return {
    role: isForward ? 'forward' : 'weightGradient',
    images: positions.length === 3 ? (positions[0] as number) : 1,
    height,
    width,
    channels: taps[0] as number,
    outputs: n[0] as number,
    axes,
  };
}

function isTaps(sizes: readonly number[]): boolean {
  return sizes.length === 3 && sizes[1] === 3 && sizes[2] === 3;
}
