import { type Contraction, IndexSpace, type Linear, type Slide, slideOf, visitExprs } from '@evenkeel/tensor/kernel';
import { type Phase, phaseType } from '../emitted-kernel.ts';
import { LANES } from '../indices.ts';
import type { KernelContext } from '../kernel-context.ts';
import { evaluateLine } from './line.ts';
import { Site } from './site.ts';

/**
 * A convolution whose input is evaluated once, padding included, into shared memory: `kernel` reads it there, as an
 * operand behind its own, without guards.
 */
export interface PaddedInput {
  readonly kernel: Contraction;
  readonly bytes: number;
  /** Evaluates the input to an offset in shared memory. */
  fill(context: KernelContext, offset: number): Phase;
}

/** Two axes of a window that slides, and the places that it reaches. */
interface Window extends Slide {
  readonly position: number;
  readonly tap: number;
  readonly places: number;
}

/** Undefined where `a` is no window that slides over an image, or is read without guards as it is. */
export function padInput(kernel: Contraction): PaddedInput | undefined {
  const { batch, m, n, k } = kernel;
  if (batch.length > 0 || m.length < 2 || k.length < 2 || kernel.dtype !== 'float32' || !isGuarded(kernel))
    return undefined;
  const sizes = [...m, ...n, ...k];
  if (sizes.includes(0)) return undefined;
  const [firstM, firstK] = [0, m.length + n.length];
  const [y, x] = [2, 1].map((back): Window | undefined => {
    const [position, tap] = [firstM + m.length - back, firstK + k.length - back];
    const slide = slideOf(kernel, position, tap);
    if (!slide) return undefined;
    const [last, lastTap] = [position, tap].map((axis) => (sizes[axis] as number) - 1) as [number, number];
    return { ...slide, position, tap, places: last * slide.stride + lastTap * slide.dilation + 1 };
  });
  if (!y || !x) return undefined;
  const images = m.slice(0, -2).map((_, i) => firstM + i);
  const channels = k.slice(0, -2).map((_, i) => firstK + i);
  const count = (axes: readonly number[]): number => axes.reduce((all, axis) => all * (sizes[axis] as number), 1);
  const channelGroup = { axes: channels, sizes: channels.map((axis) => sizes[axis] as number), count: count(channels) };
  // Vectors of channels, or of neighbouring places.
  const isChannelsLast = channelGroup.count % LANES === 0 && channelGroup.count >= 2 * LANES;
  const [placeStep, channelStep] = isChannelsLast ? [channelGroup.count, 1] : [1, y.places * x.places];
  const imageSize = channelGroup.count * y.places * x.places;
  const lineStep = isChannelsLast ? x.places * channelGroup.count : x.places;

  const space = new IndexSpace();
  const axes = sizes.map((size) => space.addAxis(size));
  const at = (numbers: readonly number[]): Linear => {
    return numbers.reduce((all, axis) => {
      return space.add(space.mul(all, sizes[axis] as number), axes[axis] as Linear);
    }, space.literal(0));
  };
  const placeOf = ({ position, tap, stride, dilation }: Window): Linear => {
    return space.dot([axes[position] as Linear, axes[tap] as Linear], [stride, dilation]);
  };
  const parts = [at(images), placeOf(y), placeOf(x), at(channels)];
  const index = space.emit(space.dot(parts, [imageSize, lineStep, placeStep, channelStep]));
  const a = { kind: 'load', dtype: 'float32', operand: kernel.operands.length, index, guards: [] } as const;
  const lines = count(images) * y.places;

  const fill = (context: KernelContext, offset: number): Phase => {
    const f = context.module.function(phaseType);
    const site = new Site(f, kernel, context);
    const { builder, indices } = site;
    const counter = indices.counter(lines, site.chunk);
    const shape = [count(images), y.places];
    const [image, line] = indices.space.unravel(counter, shape) as [Linear, Linear];
    const position = site.at(1);
    site.place(
      position,
      { axes: images, sizes: images.map((axis) => sizes[axis] as number), count: count(images) },
      () => image,
    );
    const axisOf = (slide: Window): number => {
      // One of the two steps by one: it alone counts all places.
      const [counts, rests] = slide.stride === 1 ? [slide.position, slide.tap] : [slide.tap, slide.position];
      position.bind(rests, () => indices.space.literal(0));
      return counts;
    };
    position.bind(axisOf(y), () => line);
    const target = indices.space.dot([image, line], [4 * imageSize, 4 * lineStep]);
    const address = indices.value(target, builder.op('i32.add', site.sharedMemory, builder.i32(offset)));
    evaluateLine(
      site,
      { x: axisOf(x), places: x.places, channels: channelGroup, placeStep, channelStep },
      position,
      address,
    );
    builder.finish();
    return { chunks: lines, run: f };
  };
  return { kernel: { ...kernel, a }, bytes: 4 * count(images) * imageSize, fill };
}

function isGuarded({ a }: Contraction): boolean {
  let guarded = false;
  visitExprs([a], (expr) => {
    if (expr.kind === 'guard' || (expr.kind === 'load' && expr.guards.length > 0)) guarded = true;
    return [];
  });
  return guarded;
}
