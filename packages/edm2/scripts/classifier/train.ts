import { classBalanced, type PictureSet, PowerFunctionEma } from '@evenkeel/edm2';
import type { HostArray } from '@evenkeel/formats';
import { project } from '@evenkeel/mp-nn';
import { Adam, cosineSchedule, DataLoader, type Dataset, linearWarmup, productSchedule } from '@evenkeel/nn';
import { commit, Generator, oneHot, type Tensor, tensor } from '@evenkeel/tensor';
import { Classifier, type ClassifierOptions } from '../../src/metrics/classifier.ts';
import { distort, drawsPerPicture } from './distort.ts';

export interface ClassifierTraining {
  readonly network: Omit<ClassifierOptions, 'generator'>;
  readonly steps: number;
  /** Fixes first values, order, distortions and noise. */
  readonly seed: number;
  /** Called after each step. */
  readonly onStep: (progress: { readonly step: number; readonly loss: number }) => void;
}

const batchSize = 64;
const peakRate = 0.02;
/** Length of the average of the weights that is kept. */
const emaStd = 0.1;
/** Most standard deviation of the noise that is added to latents: samples are never quite clean. */
const mostNoise = 0.1;
/** What a target gives away to the other classes. */
const smoothing = 0.05;
/** Largest share of another picture that is mixed in, labels alike (mixup, Zhang et al. 2018). */
const mostMixed = 0.5;

/**
 * Trains on the pictures of `dataset`, classes drawn evenly, and gives the averaged weights. The same arguments give the
 * same weights on the same machine.
 */
export async function trainClassifier(
  dataset: PictureSet,
  { network, steps, seed, onStep }: ClassifierTraining,
): Promise<Map<string, HostArray>> {
  const random = new Generator(seed);
  using net = new Classifier({ ...network, generator: random.fork('first values') });
  using adam = new Adam(net, { betas: [0.9, 0.99] });
  using ema = new PowerFunctionEma(net, { stds: [emaStd] });
  const pictures = distortedPictures(dataset, random.fork('distortions'));
  const loader = new DataLoader(pictures, { batchSize, indices: classBalanced(dataset, { seed }) });
  const schedule = productSchedule(linearWarmup(100), cosineSchedule(steps));
  const draws = random.fork('noise');
  for (let step = 1; step <= steps; step++) {
    const { images, labels } = await loader.next();
    project(net);
    const loss = mixedLoss(net, images, labels, draws);
    adam.step(loss, { learningRate: peakRate * schedule(step - 1) });
    ema.update(step * batchSize);
    await commit(loss);
    onStep({ step, loss: await loss.item() });
  }
  return ema.snapshot(emaStd);
}

/** Cross-entropy of noisy pictures, each with some of another one in it. A scalar. */
function mixedLoss(net: Classifier, images: Tensor, labels: Tensor, random: Generator): Tensor {
  const [batch, classes] = labels.shape as [number, number];
  const amount = random.uniform([batch, 1, 1, 1], { high: mostNoise });
  const noisy = images.add(random.normal(images.shape).mul(amount));
  // Cubed: most pictures stay nearly as they are.
  const own = random.uniform([batch, 1]).pow(3).mul(-mostMixed).add(1);
  const mixed = (x: Tensor, share: Tensor): Tensor => x.mul(share).add(x.flip(0).mul(share.mul(-1).add(1)));
  const targets = mixed(labels.mul(1 - smoothing).add(smoothing / classes), own);
  const logits = net.call(mixed(noisy, own.reshape([batch, 1, 1, 1])));
  return logits.logSoftmax(1).mul(targets).sum(1).mean().mul(-1);
}

/** Distorted anew each time that they are drawn. */
function distortedPictures(dataset: PictureSet, random: Generator): Dataset<{ images: Tensor; labels: Tensor }> {
  const { channels, resolution, labelDim } = dataset;
  const size = channels * resolution ** 2;
  return {
    length: dataset.length,
    async batch(indices) {
      const draws = await random.uniform([indices.length, drawsPerPicture]).data();
      const images = new Float32Array(indices.length * size);
      indices.forEach((index, row) => {
        const own = draws.subarray(row * drawsPerPicture, (row + 1) * drawsPerPicture);
        images.set(distort(dataset.image(index), resolution, own), row * size);
      });
      const labels = Int32Array.from(indices, (index) => dataset.label(index));
      return {
        images: tensor(images, { shape: [indices.length, channels, resolution, resolution] }),
        labels: oneHot(tensor(labels), labelDim),
      };
    },
  };
}
