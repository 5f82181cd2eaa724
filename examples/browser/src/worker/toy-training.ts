import { fractalTree, sampleToy, stateDictOf, ToyModel, ToyTrainer } from '@evenkeel/edm2';
import { Generator } from '@evenkeel/tensor';
import type { Density, Look, Magnitudes, PlaneView, SnapshotFile, TrainSettings } from '../protocol/train.ts';
import { densityOver } from './density.ts';
import { type Layers, layersOf, magnitudesOf } from './magnitudes.ts';
import type { Training } from './training.ts';

/** The corner of the plane that class A lies in. */
const view: PlaneView = { left: -0.7, bottom: -0.68, side: 2.2 };
const layers = 4;
/** Of the weights' average that points are drawn with; short, as one watches from the start. */
const emaStd = 0.05;
const pointCount = 1500;
const samplerSteps = 12;

/** What is to be learned. */
export function toyDensity(): Density {
  return densityOver(fractalTree('A'), view);
}

/** Learns the score of a tree in the plane, by score matching against the exact one. */
export class ToyTraining implements Training {
  readonly parameters: number;
  readonly #trainer: ToyTrainer;
  readonly #shown: ToyModel;
  readonly #layers: Layers;

  constructor({ width: dim, batchSize, seed }: TrainSettings) {
    this.#trainer = new ToyTrainer({ classes: 'A', layers, dim, batchSize, seed, emaStd });
    this.#shown = new ToyModel({ layers, dim, generator: new Generator(0) });
    this.parameters = this.#trainer.net.parameterCount();
    this.#layers = layersOf(this.#trainer.net, /^layers\.\d+$/);
  }

  async step(): Promise<number> {
    const { loss } = await this.#trainer.step();
    return loss.item();
  }

  magnitudes(): Promise<Magnitudes> {
    const { net, data } = this.#trainer;
    const random = new Generator(1);
    const sigma = random.normal([256], { mean: -2.3, std: 1.5 }).exp();
    const noisy = data.sample(256, random).add(random.normal([256, 2]).mul(sigma.reshape(-1, 1)));
    return magnitudesOf(this.#layers, () => net.call(noisy, sigma));
  }

  async look(): Promise<Look> {
    const { ema, steps } = this.#trainer;
    if (steps > 0) this.#shown.loadStateDict(stateDictOf(await ema.snapshot(emaStd)));
    const points = await sampleToy(this.#shown, { count: pointCount, steps: samplerSteps, seed: 1 });
    return { kind: 'points', points: Float32Array.from(points) };
  }

  async snapshots(): Promise<SnapshotFile[]> {
    return [];
  }

  dispose(): void {
    this.#trainer.dispose();
    this.#shown.dispose();
  }
}
