import {
  classBalanced,
  type Emoji16,
  encodeSnapshot,
  loadEmoji16,
  networkMetadata,
  PerSeedRandom,
  Precond,
  sample,
  snapshotName,
  stateDictOf,
  Trainer,
  trainingExamples,
  trainingPresets,
} from '@evenkeel/edm2';
import { DataLoader } from '@evenkeel/nn';
import { Generator, oneHot, type Tensor, tensor } from '@evenkeel/tensor';
import type { Look, Magnitudes, SnapshotFile, TrainSettings } from '../protocol/train.ts';
import { type Layers, layersOf, magnitudesOf } from './magnitudes.ts';
import { rgbaOf } from './pixels.ts';
import type { Training } from './training.ts';

/** Of the average that pictures are painted with. */
const shownStd = 0.1;
const samplerSteps = 8;

/** Learns emoji of 16 pixels, by the preset `small-16` with another width. */
export class EmojiTraining implements Training {
  readonly parameters: number;
  readonly #dataset: Emoji16;
  readonly #trainer: Trainer;
  readonly #shown: Precond;
  readonly #layers: Layers;
  readonly #seed: number;
  /** What magnitudes are measured on. */
  readonly #probe: { readonly images: Tensor; readonly labels: Tensor | null };

  private constructor(
    { width, batchSize, seed }: TrainSettings,
    dataset: Emoji16,
    probe: { readonly images: Tensor; readonly labels: Tensor | null },
  ) {
    const { network, loss, learningRate, emaStds } = trainingPresets.get('small-16')!;
    const { resolution: imgResolution, channels: imgChannels, labelDim } = dataset;
    const options = { ...network, modelChannels: width, imgResolution, imgChannels, labelDim };
    const net = new Precond({ ...options, generator: new Generator(seed) });
    const indices = classBalanced(dataset, { seed });
    const loader = new DataLoader(trainingExamples(dataset), { batchSize, indices });
    this.#trainer = new Trainer(net, loader, { batchSize, seed, loss, learningRate, emaStds });
    this.#shown = new Precond({ ...options, generator: new Generator(0) }).eval();
    this.#dataset = dataset;
    this.#probe = probe;
    this.#seed = seed;
    this.parameters = net.parameterCount();
    this.#layers = layersOf(net, /^unet\.(enc|dec)\.[^.]+$/);
  }

  /** @param folder where the pictures lie */
  static async open(settings: TrainSettings, folder: URL): Promise<EmojiTraining> {
    const dataset = await loadEmoji16({ folder });
    const chosen = Array.from({ length: 16 }, (_, i) => Math.floor((i * dataset.length) / 16));
    return new EmojiTraining(settings, dataset, await trainingExamples(dataset).batch(chosen));
  }

  async step(): Promise<number> {
    const { loss } = await this.#trainer.step();
    return loss.item();
  }

  magnitudes(): Promise<Magnitudes> {
    const { images, labels } = this.#probe;
    const random = new Generator(1);
    const sigma = random.normal([images.shape[0] as number], { mean: -0.6, std: 1.2 }).exp();
    const noisy = images.add(random.normal(images.shape).mul(sigma.reshape(-1, 1, 1, 1)));
    return magnitudesOf(this.#layers, () => this.#trainer.net.denoise(noisy, sigma, labels));
  }

  async look(): Promise<Look> {
    const { ema, images } = this.#trainer;
    if (images > 0) this.#shown.loadStateDict(stateDictOf(await ema.snapshot(shownStd)));
    const { labelDim, resolution, channels, classNames } = this.#dataset;
    const classes = Array.from({ length: 2 * labelDim }, (_, i) => i % labelDim);
    const noise = new PerSeedRandom(classes.map((_, i) => i)).normal([
      classes.length,
      channels,
      resolution,
      resolution,
    ]);
    const painted = await sample(this.#shown, noise, {
      steps: samplerSteps,
      labels: oneHot(tensor(Int32Array.from(classes)), labelDim),
    });
    const rgba = rgbaOf(await painted.data(), { channels, resolution });
    const captions = classes.map((label) => classNames[label] as string);
    return { kind: 'pictures', rgba, captions, resolution };
  }

  async snapshots(): Promise<SnapshotFile[]> {
    const { net, ema, images } = this.#trainer;
    const metadata = { ...networkMetadata(net), dataset: this.#dataset.name, seed: `${this.#seed}, in the page` };
    const copied = [...net.namedBuffers().keys()];
    const files: SnapshotFile[] = [];
    for (const std of ema.stds) {
      const snapshot = { images, std, values: await ema.snapshot(std), copied, metadata };
      const bytes = Uint8Array.from(encodeSnapshot(snapshot, { dtype: 'float16' }));
      files.push({ name: snapshotName(snapshot), bytes });
    }
    return files;
  }

  dispose(): void {
    this.#trainer.dispose();
    this.#trainer.net.dispose();
    this.#shown.dispose();
  }
}
