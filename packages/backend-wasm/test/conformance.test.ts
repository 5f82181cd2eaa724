import { backendConformance } from '@evenkeel/tensor/testing';
import { describe, test } from 'vitest';
import { wasm } from '../src/index.ts';

describe.each([{ threads: 1 }, { threads: 2 }, { shared: false }])('%o', (options) => {
  for (const { name, run } of backendConformance(() => wasm(options), { numRuns: 12 })) test(name, run);
});
