import { shuffledIndices } from '@evenkeel/nn';
import type { ImageDataset } from './dataset.ts';

/** Options of {@link splitHeldOut}. */
export interface HeldOutOptions {
  /** Share of each class's groups to hold out, above 0 and below 1. Default 0.1. */
  readonly fraction?: number;
  /** Whole number, at least 0. Default 0. */
  readonly seed?: number;
}

/** Image indices, each in increasing order; together all of the data set. */
export interface HeldOutSplit {
  readonly train: Uint32Array;
  readonly heldOut: Uint32Array;
}

/**
 * Splits a data set into images to train on and images kept for evaluation: a pure function of the data set and the seed.
 * Variants of one picture (equal `group`) stay together, and a class of two groups or more has one on each side at least.
 * Images without a class count as one class.
 *
 * @throws RangeError when fraction is not between 0 and 1.
 * @example
 * ```ts
 * const emoji = await loadEmoji16();
 * const { train, heldOut } = splitHeldOut(emoji, { fraction: 0.1, seed: 1 });
 * train.length + heldOut.length; // 2090
 * ```
 */
export function splitHeldOut(dataset: ImageDataset, options: HeldOutOptions = {}): HeldOutSplit {
  const { fraction = 0.1, seed = 0 } = options;
  if (!(fraction > 0 && fraction < 1))
    throw new RangeError(`splitHeldOut: fraction is ${fraction}, not between 0 and 1`);
  const kept = new Set<string>();
  for (const groups of groupsByClass(dataset)) {
    if (groups.length < 2) continue;
    const count = Math.min(groups.length - 1, Math.max(1, Math.round(fraction * groups.length)));
    const order = shuffledIndices(groups.length, { seed });
    for (let position = 0; position < count; position++) kept.add(groups[order.at(position)]!);
  }
  const indices = Array.from({ length: dataset.length }, (_, index) => index);
  const isHeldOut = (index: number) => kept.has(groupOf(dataset, index));
  return {
    train: Uint32Array.from(indices.filter((index) => !isHeldOut(index))),
    heldOut: Uint32Array.from(indices.filter(isHeldOut)),
  };
}

/** A name that no image of another class or group has. */
function groupOf(dataset: ImageDataset, index: number): string {
  return `${classOf(dataset, index)}/${dataset.group?.(index) ?? index}`;
}

function groupsByClass(dataset: ImageDataset): string[][] {
  const classes = new Map<number, Set<string>>();
  for (let index = 0; index < dataset.length; index++) {
    const label = classOf(dataset, index);
    if (!classes.has(label)) classes.set(label, new Set());
    classes.get(label)!.add(groupOf(dataset, index));
  }
  return [...classes.values()].map((groups) => [...groups]);
}

function classOf(dataset: ImageDataset, index: number): number {
  const label = dataset.label?.(index);
  return typeof label === 'number' ? label : 0;
}
