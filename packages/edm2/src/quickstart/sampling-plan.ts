import { blockColumns, emaStds, mainBlocks, samplerSteps } from './recipe.ts';

/** How samples are painted. */
export interface SamplingPlan {
  /** Samples of each class in a block. */
  readonly columns: number;
  readonly steps: number;
  /** Whether an earlier network guides: as much work again. */
  readonly guided: boolean;
}

/** What is painted where there is time. */
export const fullPlan: SamplingPlan = { columns: blockColumns, steps: samplerSteps, guided: true };

/** Narrower and narrower, then worse: from the first on, what fits the time is taken. */
const plans: readonly SamplingPlan[] = [
  ...Array.from({ length: blockColumns }, (_, i) => ({ ...fullPlan, columns: blockColumns - i })),
  { ...fullPlan, columns: 1, guided: false },
  { columns: 1, steps: Math.ceil(samplerSteps / 2), guided: false },
];

/** What is painted where there is hardly any time. */
export const leastPlan = plans.at(-1) as SamplingPlan;

/** A forward pass takes about a third as long as a training step of one image. */
const passShare = 0.35;

/**
 * How long forward passes of single images take, roughly.
 *
 * @param imagesPerSecond of training.
 */
export function forwardMs(images: number, imagesPerSecond: number): number {
  return (1000 * passShare * images) / imagesPerSecond;
}

/**
 * How long all blocks of a plan take, roughly.
 *
 * @param imagesPerSecond of training.
 */
export function samplingMs({ columns, steps, guided }: SamplingPlan, classes: number, imagesPerSecond: number): number {
  // The main average's second to last block are left out where time runs short: those of one column do not count them.
  const blocks = emaStds.length + (columns > 1 ? mainBlocks : 1);
  const passes = classes * columns * blocks * (2 * steps - 1) * (guided ? 2 : 1);
  return forwardMs(passes, imagesPerSecond);
}

/** The best plan that fits `ms`, or the least of all. */
export function affordablePlan(ms: number, classes: number, imagesPerSecond: number): SamplingPlan {
  const fitting = plans.find((plan) => samplingMs(plan, classes, imagesPerSecond) <= ms);
  return fitting ?? leastPlan;
}
