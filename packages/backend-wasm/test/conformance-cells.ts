import { pairwise } from './pairwise.ts';

/** Where and how the conformance suite runs: every possible pair of choices occurs. */
export const cells = pairwise(
  {
    threads: [1, 2, 4],
    instructions: ['plain', 'relaxed', 'wide'],
    shared: [true, false],
    place: ['Node', 'isolated page', 'page'],
  } as const,
  ({ threads, shared, place }) => (shared || threads === 1) && (place !== 'page' || !shared),
);

/** Draws of each random case. */
export const numRuns = 4;
