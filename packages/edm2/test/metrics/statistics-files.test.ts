import { writeNpz, writeSafetensors } from '@evenkeel/formats';
import { describe, expect, test } from 'vitest';
import { compareStatistics, decodeStatistics, encodeStatistics, metrics } from '../../src/index.ts';

const square = (size: number, value: number) => new Float64Array(size * size).fill(value);
const statistics = {
  count: 7,
  moments: new Map([
    ['fid', { mean: Float64Array.of(0.1, -2), covariance: square(2, 1 / 3) }],
    ['fd_small', { mean: Float64Array.of(5), covariance: square(1, 2) }],
  ]),
  features: new Map([['kid', { featureDim: 2, rows: Float32Array.of(1, 2, 3, 4) }]]),
};

describe('files of statistics', () => {
  test.each(['npz', 'safetensors'] as const)('%s gives back what was written, to the bit', (form) => {
    const { count, moments, features } = decodeStatistics(encodeStatistics(statistics, form));
    expect(count).toBe(7);
    const sorted = (map: ReadonlyMap<string, object>) => Object.fromEntries(map);
    expect(sorted(features)).toEqual(sorted(statistics.features));
    expect(sorted(moments)).toEqual({
      fid: { count: 7, ...statistics.moments.get('fid') },
      fd_small: { count: 7, ...statistics.moments.get('fd_small') },
    });
  });

  test('are refused in one line where they hold something else', () => {
    const array = { dtype: 'float64', shape: [2], data: new Float64Array(2) } as const;
    expect(() => decodeStatistics(writeNpz([['weights', array]]), 'a.npz')).toThrow(
      /^a\.npz: holds no statistics .* but weights$/,
    );
    expect(() => decodeStatistics(writeNpz([['mu', array]]), 'a.npz')).toThrow(
      /mu \[2\] comes with no covariance, wanted \[2, 2\]/,
    );
    const odd = writeSafetensors([
      ['fid.mu', array],
      ['fid.sigma', array],
    ]);
    expect(() => decodeStatistics(odd, 'b')).toThrow(/^b: fid\.mu \[2\] comes with a covariance \[2\], wanted/);
    expect(() => decodeStatistics(writeNpz([['kid.features', array]]), 'c')).toThrow(/kid\.features is float64 \[2\]/);
    expect(() => decodeStatistics(new Uint8Array(3), 'd')).toThrow(/d/);
  });

  test('are compared by the metrics that both have', () => {
    expect(compareStatistics(statistics, statistics, [metrics.get('fd_small')!])).toEqual([
      { metric: 'fd_small', value: 0 },
    ]);
    const [kid] = compareStatistics(statistics, statistics, [metrics.get('kid')!], { subsets: 3 });
    expect(kid).toMatchObject({ metric: 'kid', value: expect.any(Number), standardError: 0 });
    expect(() => compareStatistics(statistics, statistics, [metrics.get('fd_dinov2')!])).toThrow(
      "statistics of 'fd_dinov2' are missing: there are those of fid, fd_small, kid. Make them: edm2 metrics ref --metrics=fd_dinov2",
    );
  });
});
