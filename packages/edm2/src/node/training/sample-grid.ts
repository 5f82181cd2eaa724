import { encodePng } from '@evenkeel/formats';
import { Generator, type Tensor, tensor } from '@evenkeel/tensor';
import type { ImageEncoder } from '../../data/image-encoder.ts';
import { imageGrid } from '../../data/image-grid.ts';
import { Precond } from '../../network/precondition.ts';
import { sample } from '../../sample/sample.ts';
import type { Trainer } from '../../train/trainer.ts';

/** Steps of the sampler: fewer than for pictures that one keeps, so that looking costs little training. */
const steps = 16;
/** Classes that have a row each; of more, some are shown. */
const mostRows = 16;
const places = 64;

/** The classes of a grid, row by row; without classes, zeros. */
export function gridClasses(labelDim: number): number[][] {
  const count = labelDim > mostRows ? 8 : Math.max(labelDim, 4);
  const columns = Math.min(8, Math.floor(places / count));
  const classAt = (row: number, column: number): number => {
    if (labelDim === 0) return 0;
    // Of many classes, those that lie evenly between the first and the last.
    return labelDim > mostRows ? Math.floor(((row * columns + column) * labelDim) / places) : row % labelDim;
  };
  return Array.from({ length: count }, (_, row) => Array.from({ length: columns }, (__, i) => classAt(row, i)));
}

/**
 * Samples of a training's longest average as a PNG: the same noise and the same classes each time, so that one sees the same
 * pictures become better. Nothing that training draws changes by it.
 */
export async function sampleGrid({ ema, net, seed }: Trainer, encoder: ImageEncoder): Promise<Uint8Array> {
  const { imgResolution, imgChannels, labelDim } = net.options;
  const random = new Generator(seed).fork('samples');
  using averaged = new Precond({ ...net.options, generator: random });
  averaged.loadStateDict(ema.stateDict(Math.max(...ema.stds)));
  const rows = gridClasses(labelDim);
  const images: Uint8Array[] = [];
  for (const [i, classes] of rows.entries()) {
    const noise = random.fork(i).normal([classes.length, imgChannels, imgResolution, imgResolution]);
    const latents = await sample(averaged, noise, { steps, labels: oneHotRows(classes, labelDim) });
    images.push(...(await encoder.decode(latents)));
  }
  const [first] = images as [Uint8Array, ...Uint8Array[]];
  const channels = imgChannels === 1 ? 1 : 3;
  const scale = Math.max(1, Math.round(64 / Math.sqrt(first.length / channels)));
  return encodePng(imageGrid(images, { channels, columns: (rows[0] as number[]).length, scale, gap: 2 }));
}

function oneHotRows(classes: readonly number[], labelDim: number): Tensor | null {
  if (labelDim === 0) return null;
  const values = new Float32Array(classes.length * labelDim);
  classes.forEach((label, i) => {
    values[i * labelDim + label] = 1;
  });
  return tensor(values, { shape: [classes.length, labelDim] });
}
