import { describe, expect, test } from 'vitest';
import { generationPresets, publishedNetworkName, trainingPresets } from '../src/index.ts';

/** The published table, as one reads it: images (Mi), channels, rate, decay, dropout, P_mean, P_std. */
const table = `
edm2-img512-xxs  2048   64 0.0170 70000 0    -0.4 1.0
edm2-img512-xs   2048  128 0.0120 70000 0    -0.4 1.0
edm2-img512-s    2048  192 0.0100 70000 0    -0.4 1.0
edm2-img512-m    2048  256 0.0090 70000 0.10 -0.4 1.0
edm2-img512-l    1792  320 0.0080 70000 0.10 -0.4 1.0
edm2-img512-xl   1280  384 0.0070 70000 0.10 -0.4 1.0
edm2-img512-xxl   896  448 0.0065 70000 0.10 -0.4 1.0
edm2-img64-xs    1024  128 0.0120 35000 0    -0.8 1.6
edm2-img64-s     1024  192 0.0100 35000 0    -0.8 1.6
edm2-img64-m     2048  256 0.0090 35000 0.10 -0.8 1.6
edm2-img64-l     1024  320 0.0080 35000 0.10 -0.8 1.6
edm2-img64-xl     640  384 0.0070 35000 0.10 -0.8 1.6
`;
const rows = table
  .trim()
  .split('\n')
  .map((line) => line.split(/\s+/));
const [Ki, Mi] = [2 ** 10, 2 ** 20];

describe('training presets', () => {
  test.each(rows)('%s is the published one', (name, ...numbers) => {
    const preset = trainingPresets.get(name as string)!;
    const { network, loss, learningRate } = preset;
    expect([
      preset.duration / Mi,
      network.modelChannels,
      learningRate.referenceRate,
      learningRate.decayBatches,
      network.dropout,
      loss.pMean,
      loss.pStd,
    ]).toEqual(numbers.map(Number));
    expect(preset).toMatchObject({ batchSize: 2048, fp16: true, emaStds: [0.05, 0.1] });
    expect(preset).toMatchObject({ snapshotImages: 8 * Mi, checkpointImages: 128 * Mi, statusImages: 128 * Ki });
    expect(learningRate.rampupImages).toBe(1e7);
    expect(preset.madeFor.imgChannels).toBe(name?.includes('img64') ? 3 : 4);
  });

  test('there are no others but the small ones, and all are named by their keys', () => {
    expect([...trainingPresets.keys()].sort()).toEqual(
      [...rows.map(([name]) => name), 'small-16', 'small-28', 'small-64'].sort(),
    );
    for (const [name, preset] of trainingPresets) expect(preset.name).toBe(name);
  });

  test.each([...trainingPresets.values()])('$name has intervals that a run accepts', (preset) => {
    const { batchSize, snapshotImages, checkpointImages, statusImages, duration } = preset;
    for (const images of [snapshotImages, checkpointImages, statusImages, duration]) expect(images % batchSize).toBe(0);
    for (const images of [snapshotImages, checkpointImages]) expect(images % 1024).toBe(0);
  });
});

describe('generation presets', () => {
  test('are those of the tables, guided ones with their guides', () => {
    expect(generationPresets.size).toBe(6 * 4 + 4 + 8);
    expect(generationPresets.get('edm2-img512-xxl-guid-dino')).toEqual({
      name: 'edm2-img512-xxl-guid-dino',
      net: { run: 'edm2-img512-xxl', kimg: 939524, std: 0.015 },
      guide: { run: 'edm2-img512-xs-uncond', kimg: 2147483, std: 0.015 },
      guidance: 1.7,
      metric: 'fd_dinov2',
      published: 33.09,
    });
    expect(generationPresets.get('edm2-img64-s-autog-fid')).toEqual({
      name: 'edm2-img64-s-autog-fid',
      net: { run: 'edm2-img64-s', kimg: 1073741, std: 0.045 },
      guide: { run: 'edm2-img64-xs', kimg: 134217, std: 0.11 },
      guidance: 1.7,
      metric: 'fid',
      published: 1.01,
    });
    for (const { guide, guidance } of generationPresets.values()) expect(guidance !== 1).toBe(guide !== undefined);
  });

  test('sample networks at times when runs end or are snapshot', () => {
    for (const { net, guide } of generationPresets.values()) {
      for (const network of guide ? [net, guide] : [net]) {
        const { duration, snapshotImages } = trainingPresets.get(network.run.replace('-uncond', ''))!;
        const images = Math.floor((network.kimg * 1000 + 999) / 1024) * 1024;
        expect(images % snapshotImages).toBe(0);
        expect(images).toBeLessThanOrEqual(duration);
        expect(publishedNetworkName(network)).toMatch(/^edm2-img(512|64)-x*[sml](-uncond)?-\d{7}-0\.\d{3}$/);
      }
    }
  });
});
