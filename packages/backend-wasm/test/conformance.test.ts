import { backendConformance } from '@evenkeel/tensor/testing';
import { describe, test } from 'vitest';
import { wasm } from '../src/index.ts';

describe.each([1, 2])('%i threads', (threads) => {
  for (const { name, run } of backendConformance(() => wasm({ threads }), { numRuns: 12 })) test(name, run);
});
