import { describe } from 'vitest';
import { chromiumPage, testConformance } from '../../../../test/browser/chromium-page.ts';
import { cells, numRuns } from '../conformance-cells.ts';

describe.each(cells.filter(({ place }) => place !== 'Node'))(
  'WebAssembly in Chromium, $place, $threads threads, $instructions, shared $shared',
  ({ place, threads, instructions, shared }) => {
    const isIsolated = place === 'isolated page';
    const page = chromiumPage({ isolated: isIsolated, wide: instructions === 'wide' });
    // A page that is not isolated finds out by itself that it cannot share.
    const options = { threads: 4, instructions, ...(isIsolated ? { threads, shared } : {}) };
    testConformance(page, { name: 'wasm', options }, { numRuns, described: `${threads} threads`, isIsolated });
  },
);
