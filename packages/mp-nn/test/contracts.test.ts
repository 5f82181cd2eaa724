import * as testing from '@evenkeel/mp-nn/testing';
import { assertPreservesMagnitude, type LayerFactory, type MagnitudeContract } from '@evenkeel/mp-nn/testing';
import { describe, expect, test } from 'vitest';

/** Gradients by one number a row need thousands of draws: fewer configurations keep the suite quick. */
const runs: Readonly<Record<string, number>> = { MPFourier: 1, cosineAttention: 3 };

const contracts = Object.entries(testing).filter(([name]) => name.endsWith('Contract')) as unknown as [
  string,
  MagnitudeContract<unknown>,
][];

test('every primitive and layer has a contract', () => {
  expect(contracts.map(([name]) => name).sort()).toEqual([
    'cosineAttentionContract',
    'mpConcatContract',
    'mpConvContract',
    'mpFourierContract',
    'mpLinearContract',
    'mpSiluContract',
    'mpSumContract',
    'normalizeContract',
    'pixelNormContract',
    'resampleContract',
  ]);
});

describe('our layers meet their contracts, forward and backward', () => {
  test.each(contracts)('%s', async (_, contract) => {
    const report = await assertPreservesMagnitude(contract, { runs: runs[contract.name] ?? 5 });
    expect(report.measurements.length).toBeGreaterThanOrEqual(2);
    for (const { verdict, expected } of report.measurements) {
      // The check resolves 2%: intervals must not be wider than that.
      expect(verdict.interval[1] - verdict.interval[0]).toBeLessThan(2 * 0.02 * expected);
    }
  });
});

describe('expected values that the documentation states', () => {
  test.each([
    [4, 0.8333],
    [8, 0.9167],
    [16, 0.9583],
    [32, 0.9792],
  ])('a 3x3 convolution on %d pixels a side gives %d', (size, rms) => {
    const config = { inChannels: 8, outChannels: 8, kernel: [3, 3] as const, height: size, width: size, gain: 1 };
    expect(testing.mpConvContract.expected(config).output).toBeCloseTo(rms, 4);
  });

  test.each([
    [16, 0.357],
    [256, 0.095],
  ])('cosine attention over %d tokens gives %d', (tokens, rms) => {
    const { output } = testing.cosineAttentionContract.expected({ heads: 1, perHead: 16, height: 1, width: tokens });
    expect(output).toBeCloseTo(rms, 3);
  });

  test('MP-SiLU gives 1.0008 forward and 1.034 backward', () => {
    const { output, inputGradients } = testing.mpSiluContract.expected({ channels: 1, size: 1 });
    expect(output).toBeCloseTo(1.0008, 4);
    expect(inputGradients[0]).toBeCloseTo(1.034, 3);
  });

  test('averaging 2x2 pixels gives 1/2, repeating them 1', () => {
    const config = { filter: [1, 1], height: 8, width: 8 };
    expect(testing.resampleContract.expected({ ...config, mode: 'down' }).output).toBeCloseTo(0.5, 12);
    expect(testing.resampleContract.expected({ ...config, mode: 'up' })).toEqual({ output: 1, inputGradients: [2] });
  });
});

test('a check repeats by its seed', async () => {
  const twice = [1, 2].map(() => assertPreservesMagnitude(testing.mpSumContract, { seed: 7, runs: 1 }));
  const [a, b] = await Promise.all(twice);
  expect(a).toEqual(b);
});

test('each draw gets a fresh layer', async () => {
  const keys = new Set<string>();
  let layers = 0;
  const factory: LayerFactory = {
    create: (generator) => {
      layers++;
      keys.add(generator.state().key.join());
      return (x) => x;
    },
  };
  const { measurements } = await assertPreservesMagnitude(factory, { inputShape: [64, 64] });
  expect(layers).toBe(measurements[0]!.draws);
  expect(keys.size).toBe(layers);
});
