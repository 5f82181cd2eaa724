import { describe } from 'vitest';
import { chromiumPage, testConformance } from '../../../../test/browser/chromium-page.ts';

describe('WebGPU in Chromium', () => {
  const page = chromiumPage({ webgpu: true });
  testConformance(page, { name: 'webgpu' }, { numRuns: 2, described: /\w/ });
});
