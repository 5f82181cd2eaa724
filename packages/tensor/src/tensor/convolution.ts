import type { ConvAttributes, Node } from '../graph/node.ts';
import type { DType } from '../types/dtype.ts';
import { showShape } from '../types/shape.ts';
import { apply, checkDTypes, reshaped } from './apply.ts';
import { flip, permute } from './movement.ts';
import type { Tensor } from './tensor.ts';

/** One number for all spatial axes, or one for each. */
export type PerAxis = number | readonly number[];

/** Zeros around: one number, one for each axis, or `[before, after]` for each; `'same'` keeps sizes at stride 1. */
export type Padding = PerAxis | readonly (readonly [before: number, after: number])[] | 'same' | 'valid';

/** How a convolution walks over its input. */
export interface ConvOptions {
  /** Step of the window. Default 1. */
  readonly stride?: PerAxis;
  /** Zeros around the input. Default 0. */
  readonly padding?: Padding;
  /** Spacing of the kernel's taps. Default 1. */
  readonly dilation?: PerAxis;
  /** Channels fall into this many groups that do not see each other. Default 1. */
  readonly groups?: number;
}

/** How the convolution that a transposed one turns round walked over its input. */
export interface ConvTransposeOptions extends Omit<ConvOptions, 'padding'> {
  /** What the convolution that this one turns round was padded with. Default 0. */
  readonly padding?: PerAxis | readonly (readonly [before: number, after: number])[];
  /** Further elements at the end of each axis, for strides that do not divide. Default 0. */
  readonly outputPadding?: PerAxis;
}

export function perAxis(where: string, what: string, value: PerAxis, rank: number, least: number): number[] {
  const list = typeof value === 'number' ? new Array<number>(rank).fill(value) : [...value];
  if (list.length !== rank || list.some((entry) => !Number.isInteger(entry) || entry < least)) {
    throw new Error(
      `${where}: ${what} must be a whole number of at least ${least} or ${rank} of them, got ${JSON.stringify(value)}`,
    );
  }
  return list;
}

/** Padding as pairs; `reach` is how far the dilated kernel spans, less one. */
export function paddingPairs(where: string, padding: Padding, reach: readonly number[]): [number, number][] {
  if (padding === 'valid') return reach.map(() => [0, 0]);
  if (padding === 'same') return reach.map((length) => [Math.floor(length / 2), Math.ceil(length / 2)]);
  if (typeof padding !== 'number' && padding.some((entry) => typeof entry !== 'number')) {
    const pairs = padding as readonly (readonly [number, number])[];
    const bad = (pair: unknown) => !Array.isArray(pair) || pair.length !== 2 || !pair.every(Number.isInteger);
    if (pairs.length !== reach.length || pairs.some(bad)) {
      throw new Error(
        `${where}: padding must be ${reach.length} pairs [before, after], got ${JSON.stringify(padding)}`,
      );
    }
    return pairs.map(([before, after]) => [before, after]);
  }
  return perAxis(where, 'padding', padding as PerAxis, reach.length, 0).map((width) => [width, width]);
}

/** Throws where a window, that reaches `reach` beyond its first element, is longer than the padded axis. Empty axes stay empty. */
export function checkFits(
  where: string,
  x: Tensor,
  reach: readonly number[],
  padding: readonly (readonly [before: number, after: number])[],
): void {
  reach.forEach((length, axis) => {
    const size = x.shape[axis + 2] as number;
    const [before, after] = padding[axis] as readonly [number, number];
    if (size === 0 || length < size + before + after) return;
    throw new Error(
      `${where}: a window of ${length + 1} does not fit axis ${axis + 2} of ${showShape(x.shape)}, ${size + before + after} with padding. Pad more or use a smaller window`,
    );
  });
}

function checkRanks(where: string, x: Tensor, weight: Tensor, form: string, spatial: number): void {
  checkDTypes(where, [x, weight]);
  if (spatial < 1 || x.rank !== spatial + 2 || weight.rank !== spatial + 2) {
    throw new Error(`${where}: input ${showShape(x.shape)} and weight ${showShape(weight.shape)} must be ${form}`);
  }
}

function checkGroups(where: string, groups: number, channels: number, outputs: number): void {
  if (!Number.isInteger(groups) || groups < 1 || channels % groups !== 0 || outputs % groups !== 0) {
    throw new Error(`${where}: groups ${groups} must divide ${channels} input and ${outputs} output channels`);
  }
}

/**
 * Correlation of `x` `[N, C, ...spatial]` with `weight` `[O, C / groups, ...kernel]`, over any number of spatial axes:
 * `[N, O, ...floor((size + padding - (kernel - 1) * dilation - 1) / stride) + 1]`.
 *
 * @throws when ranks, channels or groups do not fit, or the kernel is larger than the padded input.
 * @example
 * const x = zeros([8, 3, 16]);
 * conv(x, zeros([32, 3, 5]), { padding: 'same' }); // [8, 32, 16]
 */
export function conv<D extends DType>(x: Tensor<D>, weight: Tensor, options: ConvOptions = {}): Tensor<D> {
  return convolve('conv', x, weight, options, x.rank - 2);
}

/**
 * Correlation of images `[N, C, H, W]` with kernels `[O, C / groups, KH, KW]`; see {@link conv}.
 *
 * @example
 * const x = zeros([8, 3, 16, 16]);
 * conv2d(x, zeros([32, 3, 3, 3]), { stride: 2, padding: 1 }); // [8, 32, 8, 8]
 */
export function conv2d<D extends DType>(x: Tensor<D>, weight: Tensor, options: ConvOptions = {}): Tensor<D> {
  return convolve('conv2d', x, weight, options, 2);
}

function convolve<D extends DType>(
  where: string,
  x: Tensor<D>,
  weight: Tensor,
  options: ConvOptions,
  spatial: number,
): Tensor<D> {
  const { stride = 1, padding = 0, dilation = 1, groups = 1 } = options;
  checkRanks(where, x, weight, '[N, C, ...spatial] and [O, C / groups, ...kernel]', spatial);
  const [channels, outputs, taken] = [x.shape[1] as number, weight.shape[0] as number, weight.shape[1] as number];
  checkGroups(where, groups, channels, outputs);
  if (taken * groups !== channels) {
    const transposed =
      outputs === channels && groups === 1 ? '. Did you mean to permute the weight by (1, 0, ...)?' : '';
    throw new Error(
      `${where}: input ${showShape(x.shape)} has ${channels} channels, weight ${showShape(weight.shape)} takes ${taken} x ${groups} groups${transposed}`,
    );
  }
  const spacing = perAxis(where, 'dilation', dilation, spatial, 1);
  const reach = spacing.map((step, axis) => ((weight.shape[axis + 2] as number) - 1) * step);
  const pairs = paddingPairs(where, padding, reach);
  checkFits(where, x, reach, pairs);
  return apply('conv', [x, weight], {
    stride: perAxis(where, 'stride', stride, spatial, 1),
    padding: pairs,
    dilation: spacing,
    inputDilation: new Array<number>(spatial).fill(1),
    groups,
    role: 'forward',
  });
}

/**
 * A transposed convolution, the gradient of {@link conv} with respect to its input: `x` `[N, C, ...spatial]` with
 * `weight` `[C, O / groups, ...kernel]` gives
 * `[N, O, ...(size - 1) * stride - padding + (kernel - 1) * dilation + 1 + outputPadding]`.
 *
 * @example
 * const x = zeros([8, 4, 16]);
 * convTranspose(x, zeros([4, 2, 2]), { stride: 2 }); // [8, 2, 32]
 */
export function convTranspose<D extends DType>(
  x: Tensor<D>,
  weight: Tensor,
  options: ConvTransposeOptions = {},
): Tensor<D> {
  return convolveTransposed('convTranspose', x, weight, options, x.rank - 2);
}

/**
 * A transposed convolution of images, `[N, C, H, W]` with `[C, O / groups, KH, KW]`; see {@link convTranspose}.
 *
 * @example
 * const x = zeros([8, 4, 8, 8]);
 * convTranspose2d(x, zeros([4, 2, 2, 2]), { stride: 2 }); // [8, 2, 16, 16]
 */
export function convTranspose2d<D extends DType>(
  x: Tensor<D>,
  weight: Tensor,
  options: ConvTransposeOptions = {},
): Tensor<D> {
  return convolveTransposed('convTranspose2d', x, weight, options, 2);
}

function convolveTransposed<D extends DType>(
  where: string,
  x: Tensor<D>,
  weight: Tensor,
  options: ConvTransposeOptions,
  spatial: number,
): Tensor<D> {
  const { stride = 1, padding = 0, outputPadding = 0, dilation = 1, groups = 1 } = options;
  checkRanks(where, x, weight, '[N, C, ...spatial] and [C, O / groups, ...kernel]', spatial);
  const [channels, expected] = [x.shape[1] as number, weight.shape[0] as number];
  if (channels !== expected) {
    throw new Error(
      `${where}: input ${showShape(x.shape)} has ${channels} channels, weight ${showShape(weight.shape)} takes ${expected}`,
    );
  }
  checkGroups(where, groups, channels, (weight.shape[1] as number) * groups);
  const spacing = perAxis(where, 'dilation', dilation, spatial, 1);
  const reach = spacing.map((step, axis) => ((weight.shape[axis + 2] as number) - 1) * step);
  const extra = perAxis(where, 'outputPadding', outputPadding, spatial, 0);
  const pairs = paddingPairs(where, padding, reach);
  return apply('conv', [x, turned(weight, groups)], {
    stride: new Array<number>(spatial).fill(1),
    padding: pairs.map(([before, after], axis) => {
      const full = reach[axis] as number;
      return [full - before, full - after + (extra[axis] as number)] as const;
    }),
    dilation: spacing,
    inputDilation: perAxis(where, 'stride', stride, spatial, 1),
    groups,
    role: 'inputGradient',
  });
}

/** Kernels for going backwards: taps reversed, and within each group inputs and outputs exchanged. */
function turned<D extends DType>(weight: Tensor<D>, groups: number): Tensor<D> {
  const [outputs, inputs, ...kernel] = weight.shape as [number, number, ...number[]];
  const spatial = kernel.map((_, axis) => axis + 2);
  const parted = reshaped(flip(weight, spatial), [groups, outputs / groups, inputs, ...kernel]);
  const swapped = permute(parted, [0, 2, 1, ...spatial.map((axis) => axis + 1)]);
  return reshaped(swapped, [inputs * groups, outputs / groups, ...kernel]);
}

/** Length of a spatial axis once zeros stand between its elements. */
function dilated(size: number, by: number): number {
  return size === 0 ? 0 : (size - 1) * by + 1;
}

/**
 * Gradient of a convolution with respect to its input: a convolution of the output's gradient with the reversed
 * kernels, in which stride and input dilation change places. Padding at the end makes up for steps that did not fit.
 */
export function convInputGradient(node: Node<'conv'>, gradient: Tensor, weight: Tensor): Tensor {
  const { stride, padding, dilation, inputDilation, groups, role } = node.attributes;
  const input = (node.sources[0] as Node).shape;
  const pads = stride.map((step, axis): [number, number] => {
    const reach = ((weight.shape[axis + 2] as number) - 1) * (dilation[axis] as number);
    const low = reach - (padding[axis] as readonly [number, number])[0];
    const wanted = ((input[axis + 2] as number) - 1) * (inputDilation[axis] as number);
    return [low, wanted + reach + 1 - dilated(gradient.shape[axis + 2] as number, step) - low];
  });
  return apply('conv', [gradient, turned(weight, groups)], {
    stride: inputDilation,
    padding: pads,
    dilation,
    inputDilation: stride,
    groups,
    role: role === 'inputGradient' ? 'forward' : 'inputGradient',
  });
}

/**
 * Gradient of a convolution with respect to its weight: the input correlated with the output's gradient, with channels
 * as the batch and the batch as channels; stride and dilation change places.
 */
export function convWeightGradient(node: Node<'conv'>, x: Tensor, gradient: Tensor): Tensor {
  const attributes: ConvAttributes = node.attributes;
  const { stride, padding, dilation, inputDilation, groups } = attributes;
  const kernel = (node.sources[1] as Node).shape;
  const [batch, channels, ...sizes] = x.shape as [number, number, ...number[]];
  const spatial = sizes.map((_, axis) => axis + 2);
  const parted = reshaped(x, [batch, groups, channels / groups, ...sizes]);
  const turnedX = reshaped(permute(parted, [2, 1, 0, ...spatial.map((axis) => axis + 1)]), [
    channels / groups,
    groups * batch,
    ...sizes,
  ]);
  const pads = stride.map((step, axis): [number, number] => {
    const [low] = padding[axis] as readonly [number, number];
    const reach = ((gradient.shape[axis + 2] as number) - 1) * step + 1;
    const wanted = ((kernel[axis + 2] as number) - 1) * (dilation[axis] as number);
    const size = dilated(sizes[axis] as number, inputDilation[axis] as number);
    return [low, wanted + reach - size - low];
  });
  const byOutput = apply('conv', [turnedX, permute(gradient, [1, 0, ...spatial])], {
    stride: dilation,
    padding: pads,
    dilation: stride,
    inputDilation,
    groups,
    role: 'weightGradient',
  });
  return permute(byOutput, [1, 0, ...spatial]);
}
