import { convOutputSizes } from '../graph/primitives.ts';
import type { DType } from '../types/dtype.ts';
import { isFloat } from '../types/dtype.ts';
import { showShape } from '../types/shape.ts';
import { apply, literal, reshaped } from './apply.ts';
import { checkFits, type Padding, type PerAxis, paddingPairs, perAxis } from './convolution.ts';
import { pad } from './movement.ts';
import type { Tensor } from './tensor.ts';

/** How a pooling window moves. */
export interface PoolOptions {
  /** Step of the window. Default: the window's size. */
  readonly stride?: PerAxis;
  /** Elements around the input: zeros when averaging (they count), minus infinity when taking the maximum. Default 0. */
  readonly padding?: Padding;
}

/**
 * The mean of each window of an image: `[N, C, H, W]` gives `[N, C, H', W']`.
 *
 * @throws when `x` is not `[N, C, H, W]` of real numbers, or the window is larger than the padded image.
 * @example
 * averagePool2d(zeros([8, 3, 16, 16]), 2); // [8, 3, 8, 8]
 */
export function averagePool2d<D extends DType>(x: Tensor<D>, window: PerAxis, options: PoolOptions = {}): Tensor<D> {
  const sizes = perAxis('averagePool2d', 'window', window, 2, 1);
  const total = pool('averagePool2d', x, sizes, options, 0, {
    blocks: (parts) => parts.sum([3, 5]),
    pair: (a, b) => a.add(b),
  });
  return total.mul(literal(1 / ((sizes[0] as number) * (sizes[1] as number)), x.dtype));
}

/**
 * The largest element of each window of an image: `[N, C, H, W]` gives `[N, C, H', W']`. Elements of a window that are
 * equally large share its gradient: evenly where windows lie side by side; where they overlap or leave gaps, the last
 * of them takes half, the one before it half of the rest, and so on.
 *
 * @throws when `x` is not `[N, C, H, W]` of real numbers, or the window is larger than the padded image.
 * @example
 * maxPool2d(zeros([8, 3, 16, 16]), 3, { stride: 2, padding: 1 }); // [8, 3, 8, 8]
 */
export function maxPool2d<D extends DType>(x: Tensor<D>, window: PerAxis, options: PoolOptions = {}): Tensor<D> {
  const sizes = perAxis('maxPool2d', 'window', window, 2, 1);
  return pool('maxPool2d', x, sizes, options, Number.NEGATIVE_INFINITY, {
    blocks: (parts) => parts.max([3, 5]),
    pair: (a, b) => a.maximum(b),
  });
}

interface Combine {
  /** Over axes 3 and 5 of `[N, C, H, KH, W, KW]`. */
  readonly blocks: <D extends DType>(parts: Tensor<D>) => Tensor<D>;
  readonly pair: <D extends DType>(a: Tensor<D>, b: Tensor<D>) => Tensor<D>;
}

/** Windows side by side are axes of their own; overlapping ones combine one strided slice for each tap. */
function pool<D extends DType>(
  where: string,
  x: Tensor<D>,
  window: readonly number[],
  options: PoolOptions,
  empty: number,
  combine: Combine,
): Tensor<D> {
  if (x.rank !== 4 || !isFloat(x.dtype)) {
    throw new Error(`${where}: needs [N, C, H, W] of real numbers, got ${x.dtype} ${showShape(x.shape)}`);
  }
  const steps = perAxis(where, 'stride', options.stride ?? window, 2, 1);
  const reach = window.map((size) => size - 1);
  const around = paddingPairs(where, options.padding ?? 0, reach);
  checkFits(where, x, reach, around);
  const padded = pad(x, [[0, 0], [0, 0], ...around], empty);
  const [n, c, ...spatial] = padded.shape as [number, number, number, number];
  const ones = [1, 1];
  const none = { stride: steps, padding: [[0, 0], [0, 0]] as const, dilation: ones, inputDilation: ones }; // biome-ignore format: one line
  const out = convOutputSizes(spatial, window, none);
  const [height, width] = out as [number, number];
  const [kh, kw] = window as [number, number];
  if (steps.every((step, i) => step === window[i] && step * (out[i] as number) === spatial[i])) {
    return combine.blocks(reshaped(padded, [n, c, height, kh, width, kw]));
  }
  let result: Tensor<D> | undefined;
  for (let i = 0; i < kh; i++) {
    for (let j = 0; j < kw; j++) {
      const tap: Tensor<D> = apply(
        'slice',
        [padded],
        { start: [0, 0, i, j], step: [1, 1, ...steps] },
        { shape: [n, c, height, width] },
      );
      result = result === undefined ? tap : combine.pair(result, tap);
    }
  }
  return result as Tensor<D>;
}
