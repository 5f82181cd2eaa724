import { readFileSync } from 'node:fs';
import { Generator, type Tensor, tensor } from '@evenkeel/tensor';
import { describe, expect, test } from 'vitest';
import { Edm2Loss, learningRate, type Precond } from '../src/index.ts';
import { tinyNetwork } from './tiny-network.ts';

interface RateRow {
  batch_size: number;
  ref_lr: number;
  ref_batches: number;
  rampup_Mimg?: number;
  cur_nimg: number;
  lr: number;
}

const manifest = JSON.parse(readFileSync(new URL('../conformance/manifest.json', import.meta.url), 'utf8')) as {
  extra: { lr_schedule: RateRow[] };
};

describe('learning rate', () => {
  test('is that of the published schedule', () => {
    expect(manifest.extra.lr_schedule.length).toBeGreaterThan(20);
    for (const row of manifest.extra.lr_schedule) {
      const options = {
        batchSize: row.batch_size,
        referenceRate: row.ref_lr,
        decayBatches: row.ref_batches,
        rampupImages: (row.rampup_Mimg ?? 10) * 1e6,
      };
      expect(learningRate(row.cur_nimg, options)).toBeCloseTo(row.lr, 14);
    }
  });

  test('neither rises nor falls where told not to', () => {
    const options = { batchSize: 8, referenceRate: 0.02, decayBatches: 0, rampupImages: 0 };
    expect([0, 1, 1e9].map((images) => learningRate(images, options))).toEqual([0.02, 0.02, 0.02]);
  });
});

describe('loss', () => {
  const images = () => new Generator(1).normal([3, 2, 4, 4], { std: 0.5 });

  test('of an untrained network is what the skip connection leaves, in closed form', async () => {
    using net = tinyNetwork();
    const z = [-1, 0, 1.5];
    const noise = new Generator(2).normal([3, 2, 4, 4]);
    const loss = new Edm2Loss({ pMean: -0.4, pStd: 1.2 });
    const terms = loss.terms(net, images(), null, { sigma: tensor(z), noise });
    const [y, eps, weighted, logvar, full] = await Promise.all(
      [images(), noise, terms.weighted, terms.logvar, terms.loss].map((x) => x.data() as Promise<Float32Array>),
    );
    z.forEach((value, image) => {
      const sigma = Math.exp(-0.4 + 1.2 * value);
      const lambda = (sigma ** 2 + 0.25) / (sigma * 0.5) ** 2;
      for (let i = image * 32; i < (image + 1) * 32; i++) {
        const denoised = (0.25 / (sigma ** 2 + 0.25)) * (y![i]! + sigma * eps![i]!);
        const expected = lambda * (denoised - y![i]!) ** 2;
        expect(weighted![i]).toBeCloseTo(expected, 4);
        expect(full![i]).toBeCloseTo(expected / Math.exp(logvar![image]!) + logvar![image]!, 4);
      }
    });
  });

  test('draws levels of the asked distribution, then unit noise', async () => {
    const seen: { x: Tensor; sigma: Tensor }[] = [];
    const zeros = tensor(new Float32Array(4000), { shape: [4000, 1, 1, 1] });
    const spy = {
      call(x: Tensor, sigma: Tensor) {
        seen.push({ x, sigma });
        return { denoised: x, logvar: sigma.mul(0) };
      },
    } as unknown as Precond;
    new Edm2Loss({ pMean: -0.8, pStd: 1.6 }).call(spy, zeros, null, new Generator(5));
    const { x, sigma } = seen[0]!;
    const levels = await sigma.log().data();
    const noise = await x.div(sigma).data();
    const moments = (values: ArrayLike<number>) => {
      const list = Array.from(values);
      const mean = list.reduce((sum, value) => sum + value, 0) / list.length;
      return [mean, Math.sqrt(list.reduce((sum, value) => sum + (value - mean) ** 2, 0) / list.length)];
    };
    // Five standard errors of 4,000 draws, of a fixed seed.
    expect(Math.abs(moments(levels)[0]! + 0.8)).toBeLessThan(0.13);
    expect(Math.abs(moments(levels)[1]! - 1.6)).toBeLessThan(0.09);
    expect(Math.abs(moments(noise)[0]!)).toBeLessThan(0.08);
    expect(Math.abs(moments(noise)[1]! - 1)).toBeLessThan(0.06);
  });

  test('is the same for the same generator state, another for another', async () => {
    using net = tinyNetwork();
    const value = (seed: number) => new Edm2Loss().call(net, images(), null, new Generator(seed)).mean().item();
    expect(await value(1)).toBe(await value(1));
    expect(await value(1)).not.toBe(await value(2));
  });

  test('refuses normals of another batch', () => {
    using net = tinyNetwork();
    const normals = { sigma: tensor([0, 0]), noise: images() };
    expect(() => new Edm2Loss().call(net, images(), null, normals)).toThrow(/normals for 2 images/);
  });
});
