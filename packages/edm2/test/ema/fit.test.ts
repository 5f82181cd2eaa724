import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import {
  type EmaProfile,
  fitPostHoc,
  fitWarning,
  profileChart,
  reconstruct,
  reconstructionErrorChart,
  reconstructionErrors,
  sampledResponse,
} from '../../src/ema/index.ts';

const evenly = (count: number, stds = [0.05, 0.1]): EmaProfile[] =>
  Array.from({ length: count }, (_, i) => (i + 1) / count).flatMap((images) => stds.map((std) => ({ images, std })));

describe('a fit', () => {
  test('has the error that profiles sampled finely have', () => {
    const length = 20_000;
    const sampled = ({ images, std }: EmaProfile) => sampledResponse({ images: images * (length - 1), std }, length);
    fc.assert(
      fc.property(fc.double({ min: 0.03, max: 0.25, noNaN: true }), fc.integer({ min: 1, max: 6 }), (std, count) => {
        const snapshots = evenly(count);
        const { weights, error, magnitude } = fitPostHoc(snapshots, { images: 1, std });
        const wanted = sampled({ images: 1, std });
        const made = new Float64Array(length);
        snapshots.forEach((snapshot, i) => {
          sampled(snapshot).forEach((value, at) => {
            made[at]! += weights[i]! * value;
          });
        });
        const norm = (values: Float64Array) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
        // Sampling counts each profile's last moment as if it were whole: an error of the order of gamma / length.
        expect(Math.abs(error - norm(made.map((value, i) => value - wanted[i]!)) / norm(wanted))).toBeLessThan(0.01);
        expect(magnitude).toBeGreaterThan(1 - 1e-9);
      }),
      { numRuns: 20 },
    );
  });

  test('of a tracked average is exact; of one far outside it warns', () => {
    const tracked = fitPostHoc(evenly(8), { images: 1, std: 0.05 });
    expect(tracked.error).toBeLessThan(1e-6);
    expect(fitWarning(tracked)).toBeUndefined();
    const short = fitPostHoc(evenly(8), { images: 1, std: 0.01 });
    expect(short.isSpanned).toBe(false);
    expect(fitWarning(short)).toMatch(/^EMA length 0\.01 is outside of what the snapshots span.*by 53%.*sum to 14\.0/);
  });

  test('gets better with every doubling of the snapshots', () => {
    const errors = reconstructionErrors({ targets: [0.03, 0.07, 0.15, 0.25], counts: [2, 4, 8, 16, 32, 64] });
    for (const column of errors[0]!.keys()) {
      for (let row = 1; row < errors.length; row++) {
        expect(errors[row]![column]!).toBeLessThan(errors[row - 1]![column]!);
      }
    }
    expect(reconstructionErrorChart()).toMatch(/^<svg [\s\S]*<polyline[\s\S]*<\/svg>\s*$/);
  });

  test('profiles are drawn with what snapshots make of them', () => {
    const chart = profileChart([{ images: 1, std: 0.07 }], { snapshots: evenly(4), moments: 32 });
    expect(chart.match(/<polyline/g)).toHaveLength(2);
    expect(chart).not.toContain('NaN');
  });
});

describe('reconstruct', () => {
  const stored = evenly(8).map(({ images, std }) => ({ images, std, load: () => new Map() }));

  test('warns once of a length that is not spanned, tells all fits, refuses what is no length', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    try {
      const fits: number[] = [];
      const targets = [0.01, 0.07].map((std) => ({ images: 1, std }));
      await reconstruct(stored, targets, { onFit: ({ magnitude }) => fits.push(magnitude) });
      expect(warn.mock.calls).toEqual([[expect.stringMatching(/^reconstruct: EMA length 0\.01 is outside/)]]);
      expect(fits).toEqual([expect.closeTo(14, 0), expect.closeTo(1.3, 1)]);
      const warnings: string[] = [];
      await reconstruct(stored, targets, { onWarning: (message) => warnings.push(message) });
      expect([warnings.length, warn.mock.calls.length]).toEqual([1, 1]);
    } finally {
      warn.mockRestore();
    }
    for (const std of [0, -0.1, 0.29, Number.NaN]) {
      await expect(reconstruct(stored, [{ images: 1, std }])).rejects.toThrow(/EMA length: must be above 0/);
    }
  });
});
