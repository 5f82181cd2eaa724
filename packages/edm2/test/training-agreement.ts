import { createJsBackend } from '@evenkeel/tensor';
import { expect } from 'vitest';
import { type Trained, type TrainingNetwork, train } from './training-run.ts';

const references = new Map<TrainingNetwork, Promise<Trained>>();

/** Holds a training run to that of plain JavaScript. */
export async function expectAgreement(trained: Trained, network: TrainingNetwork): Promise<void> {
  if (!references.has(network)) references.set(network, train(createJsBackend(), network));
  const expected = await (references.get(network) as Promise<Trained>);
  expect(expected.losses.every(Number.isFinite)).toBe(true);
  // Every number is rounded to 6e-8 of itself. Through sums of hundreds of terms, some fifty layers back and forth, and
  // Adam, which takes the sign of gradients that are next to nothing, that is 1e-5 of all changes; a wrong term is far
  // more.
  expect(distance(trained.losses, expected.losses)).toBeLessThan(1e-4);
  expect(distance(trained.changes, expected.changes)).toBeLessThan(1e-3);
}

/** The length of the difference over the length of what is expected. */
function distance(values: readonly number[], expected: readonly number[]): number {
  const length = (all: readonly number[]): number => Math.sqrt(all.reduce((sum, x) => sum + x * x, 0));
  expect(values).toHaveLength(expected.length);
  return length(values.map((value, i) => value - (expected[i] as number))) / length(expected);
}
