import { type Contraction, IndexSpace, type Linear, type Slide, slideOf, visitExprs } from '@evenkeel/tensor/kernel';
import { type Phase, phaseType } from '../emitted-kernel.ts';
import { LANES } from '../indices.ts';
import type { KernelContext } from '../kernel-context.ts';
import { evaluateLine, isAlongPlaces } from './line.ts';
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

/** Lines of a chunk. */
const LINES = 4;

/** Two axes of a window that slides, and the places that it reaches. */
interface Window extends Slide {
  readonly position: number;
  readonly tap: number;
  readonly places: number;
}

/** Undefined where `a` is no window that slides over an image, or is read without guards as it is. Channels may be asked for
 * one after the other, each an image. */
export function padInput(
  kernel: Contraction,
  { areChannelsApart = false }: { readonly areChannelsApart?: boolean } = {},
): PaddedInput | undefined {
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
  const isChannelsLast = !areChannelsApart && channelGroup.count % LANES === 0 && channelGroup.count >= 2 * LANES;
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
  const imageGroup = { axes: images, sizes: images.map((axis) => sizes[axis] as number), count: count(images) };
  // One of the two steps by one: it alone counts all places.
  const [lineAxis, restOfY] = y.stride === 1 ? [y.position, y.tap] : [y.tap, y.position];
  const [placeAxis, restOfX] = x.stride === 1 ? [x.position, x.tap] : [x.tap, x.position];

  const fill = (context: KernelContext, offset: number): Phase => {
    const f = context.module.function(phaseType);
    const site = new Site(f, kernel, context);
    const { builder, indices } = site;
    const { space: here } = indices;
    const line = { x: placeAxis, places: x.places, channels: channelGroup, placeStep };
    // Channel by channel where a channel's lines follow each other in memory: what is read and written lies close together.
    const areApart = !isChannelsLast && isAlongPlaces(site, line);
    const channelSteps = areApart ? channelGroup.count : 1;
    const groups = Math.ceil(y.places / LINES);
    const shape = [imageGroup.count, channelSteps, groups];
    const chunks = imageGroup.count * channelSteps * groups;
    const [image, channel, group] = here.unravel(indices.counter(chunks, site.chunk), shape) as [
      Linear,
      Linear,
      Linear,
    ];
    const first = here.mul(group, LINES);
    site.loop(builder.i32(0), site.atMost(LINES, y.places, first), LINES, (inGroup) => {
      const number = here.add(first, inGroup);
      const position = site.at(1);
      site.place(position, imageGroup, () => image);
      for (const rest of [restOfY, restOfX]) position.bind(rest, () => here.literal(0));
      position.bind(lineAxis, () => number);
      if (areApart) site.place(position, channelGroup, () => channel);
      const target = here.dot([image, channel, number], [4 * imageSize, 4 * channelStep, 4 * lineStep]);
      const address = indices.value(target, builder.op('i32.add', site.sharedMemory, builder.i32(offset)));
      const channels = areApart ? { axes: [], sizes: [], count: 1 } : channelGroup;
      evaluateLine(site, { ...line, channels, channelStep }, position, address);
    });
    builder.finish();
    return { chunks, run: f };
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
