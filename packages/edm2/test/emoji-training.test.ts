import { decodePng, encodePng } from '@evenkeel/formats';
import { DataLoader } from '@evenkeel/nn';
import { Generator, oneHot, planCount, tensor } from '@evenkeel/tensor';
import { describe, expect, it } from 'vitest';
import { classBalanced, imageGrid, latentsToPixels, loadEmoji16, splitHeldOut, subset } from '../src/data/index.ts';
import { stateDictOf } from '../src/ema/index.ts';
import { denoisingError, denoisingTriples } from '../src/metrics/denoising-error.ts';
import { Precond } from '../src/network/precondition.ts';
import { sample } from '../src/sample/sample.ts';
import { trainingExamples } from '../src/train/batch.ts';
import { Trainer } from '../src/train/trainer.ts';

const batchSize = 8;

describe('training on emoji16', () => {
  it('removes noise that an untrained network leaves, on pictures it has not seen, and its samples decode', async () => {
    const emoji = await loadEmoji16();
    const { train, heldOut } = splitHeldOut(emoji);
    const seen = subset(emoji, train);
    using net = new Precond({
      imgResolution: 16,
      imgChannels: 3,
      labelDim: emoji.labelDim,
      modelChannels: 8,
      channelMult: [1, 2],
      numBlocks: 1,
      attnResolutions: [8],
      channelsPerHead: 16,
      logvarChannels: 32,
      generator: new Generator(1),
    });
    const loader = new DataLoader(trainingExamples(seen), { batchSize, indices: classBalanced(seen) });
    const learningRate = { referenceRate: 0.02, decayBatches: 1000, rampupImages: 5 * batchSize };
    using trainer = new Trainer(net, loader, { batchSize, learningRate, emaStds: [0.1] });
    const triples = denoisingTriples(emoji, { indices: heldOut });
    const before = await denoisingError(net, triples);
    // With its output gain at 0 the network is its own baseline.
    expect(before.error).toBeCloseTo(before.baseline, 5);

    await trainer.step();
    const plans = planCount();
    for (let step = 0; step < 60; step++) await trainer.step();
    expect(planCount()).toBe(plans);
    const after = await denoisingError(net, triples);
    expect(after.baseline).toBe(before.baseline);
    expect(after.error).toBeLessThan(0.7 * after.baseline);

    net.loadStateDict(stateDictOf(await trainer.ema.snapshot(0.1)));
    expect((await denoisingError(net, triples)).error).toBeLessThan(0.8 * after.baseline);
    const labels = oneHot(tensor(new Int32Array([5, 9])), emoji.labelDim);
    const latents = await sample(net, new Generator(2).normal([2, 3, 16, 16]), { labels, steps: 4 });
    const pixels = latentsToPixels(await latents.data());
    const picture = decodePng(encodePng(imageGrid([pixels.subarray(0, 768), pixels.subarray(768)])));
    expect([picture.width, picture.height, picture.channels]).toEqual([32, 16, 3]);
    expect(new Set(picture.data).size).toBeGreaterThan(20);
  });
});
