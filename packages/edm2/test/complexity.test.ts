import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type CountedOp, networkComplexity, Precond, type PrecondOptions, trainingPresets } from '../src/index.ts';
import { networkOptionNames } from '../src/published/option-names.ts';

interface Counts {
  readonly params: number;
  readonly total_flops: number;
  readonly by_op: Readonly<Record<string, number>>;
}

interface Manifest {
  readonly cases: readonly { readonly id: string; readonly config: Readonly<Record<string, unknown>> }[];
  readonly extra: { readonly flops: Readonly<Record<string, Counts>> & { readonly presets: Record<string, Counts> } };
}

const manifest = JSON.parse(readFileSync(new URL('../conformance/manifest.json', import.meta.url), 'utf8')) as Manifest;
const { presets, ...tiny } = manifest.extra.flops;

/** What the reference values call the operations. */
const tracedOps: Readonly<Record<CountedOp, string>> = {
  convolution: 'aten::_convolution',
  matmul: 'aten::matmul',
  'vector norm': 'aten::linalg_vector_norm',
  mul: 'aten::mul',
  div: 'aten::div',
  add: 'aten::add',
  silu: 'aten::silu',
  lerp: 'aten::lerp',
  softmax: 'aten::softmax',
  clip: 'aten::clamp_',
  pow: 'aten::pow',
  sqrt: 'aten::sqrt',
  reciprocal: 'aten::reciprocal',
  log: 'aten::log',
  outer: 'aten::outer',
  cos: 'aten::cos',
};

function expectCounts(options: PrecondOptions, { params, total_flops, by_op }: Counts): void {
  const { parameters, flops, flopsByOp } = networkComplexity(options);
  expect(Object.fromEntries([...flopsByOp].map(([op, count]) => [tracedOps[op], count]))).toEqual(by_op);
  expect([parameters, flops]).toEqual([params, total_flops]);
}

/** Options of the network of a case. */
function optionsOf(id: string): PrecondOptions {
  const { config } = manifest.cases.find((one) => one.id === id)!;
  const given = Object.entries(networkOptionNames).filter(([key]) => config[key] !== undefined);
  return Object.fromEntries(given.map(([key, option]) => [option, config[key]])) as unknown as PrecondOptions;
}

describe('operations of every kind are those that were traced', () => {
  test.each(Object.entries(tiny))('in the small network %s', (id, counts) => {
    expectCounts(optionsOf(id), counts);
  });

  test.each(Object.entries(presets))('in %s', (name, counts) => {
    const [, size, channels] = /^img(\d+)-channels(\d+)$/.exec(name)!;
    const imgChannels = size === '512' ? 4 : 3;
    expectCounts({ imgResolution: 64, imgChannels, labelDim: 1000, modelChannels: Number(channels) }, counts);
  });
});

/** Parameters and 10^9 operations, as the paper gives them. */
const published: Readonly<Record<string, readonly [parameters: number, gigaflops: number]>> = {
  'edm2-img512-xxs': [31_309_029, 11.53],
  'edm2-img512-xs': [124_713_253, 45.5],
  'edm2-img512-s': [280_212_837, 101.92],
  'edm2-img512-m': [497_807_781, 180.79],
  'edm2-img512-l': [777_498_085, 282.1],
  'edm2-img512-xl': [1_119_283_749, 405.86],
  'edm2-img512-xxl': [1_523_164_773, 552.07],
  'edm2-img64-xs': [124_710_949, 45.49],
  'edm2-img64-s': [280_209_381, 101.9],
  'edm2-img64-m': [497_803_173, 180.77],
  'edm2-img64-l': [777_492_325, 282.08],
  'edm2-img64-xl': [1_119_276_837, 405.83],
};

describe('sizes of the published networks', () => {
  test.each(Object.entries(published))('%s', (name, [parameters, gigaflops]) => {
    const { network, madeFor } = trainingPresets.get(name)!;
    const counted = networkComplexity({ ...network, ...madeFor });
    expect([counted.parameters, Math.round(counted.flops / 1e7) / 100]).toEqual([parameters, gigaflops]);
  });

  test('without labels', () => {
    const options = { imgResolution: 64, imgChannels: 4, labelDim: 0, modelChannels: 128 };
    expect(networkComplexity(options).parameters).toBe(124_201_253);
  });
});

test('parameters are those that a network has, of whatever form it is', () => {
  const base = { imgResolution: 8, imgChannels: 3, labelDim: 5, modelChannels: 12, numBlocks: 2 };
  const forms: PrecondOptions[] = [
    { ...base, channelMult: [1] },
    { ...base, channelMult: [2, 1, 3], attnResolutions: [8, 4], channelsPerHead: 12, labelDim: 0 },
    {
      ...base,
      channelMult: [1, 2],
      channelMultEmb: 3,
      channelMultNoise: 2,
      logvarChannels: 7,
      resampleFilter: [1, 3, 3, 1],
    },
  ];
  for (const options of forms) {
    using net = new Precond(options);
    expect(networkComplexity(options).parameters).toBe(net.parameterCount());
  }
});
