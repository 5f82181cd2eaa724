import { join } from 'node:path';
import { encodePng } from '@evenkeel/formats';
import { writeFileAtomically } from '@evenkeel/formats/node';
import { imageGrid, type PictureSet, splitHeldOut, subset } from '../data/index.ts';
import { type Agreement, agreement } from '../metrics/agreement.ts';
import type { Classifier } from '../metrics/classifier.ts';
import { classify } from '../metrics/emoji16-classifier.ts';
import { type Neighbour, nearestImages } from '../metrics/nearest.ts';
import type { Samples } from './paint.ts';

/** Most pairs in a row of `neighbours.png`. */
const mostPairs = 8;

/** How good the samples are, by two measures. */
export interface Judgement {
  /** How many show the class that was asked for, says a classifier that was trained on real pictures. */
  readonly agreement: Agreement & {
    readonly samplesPerClass: number;
    /** Of the average that they were painted with. */
    readonly emaStd: number;
  };
  /**
   * Root mean square difference in pixels, 0 to 255, from the nearest image trained on: means over classes. Where samples
   * are much nearer than held-out images, they are copies.
   */
  readonly nearestTrainingImage: { readonly samples: number; readonly heldOut: number };
}

/**
 * Asks the classifier about the samples, and looks for the images trained on that are most like them. In `neighbours.png`
 * each sample stands beside its nearest one.
 */
export async function judge(
  samples: Samples,
  { classifier, dataset, folder }: { classifier: Classifier; dataset: PictureSet; folder: string },
): Promise<Judgement> {
  const { pictures, labels, std, trainingSeed } = samples;
  const agreed = agreement(await classify(classifier, pictures), labels, dataset.classNames);

  const { train, heldOut } = splitHeldOut(dataset, { seed: trainingSeed });
  const trained = subset(dataset, train);
  const unseen = subset(dataset, heldOut);
  const indices = Array.from({ length: unseen.length }, (_, i) => i);
  const ofSamples = nearestImages(pictures, trained);
  const ofUnseen = nearestImages(
    indices.map((i) => unseen.image(i)),
    trained,
  );
  await writeFileAtomically(join(folder, 'neighbours.png'), encodePng(pairs(samples, ofSamples, trained)));
  return {
    agreement: { ...agreed, samplesPerClass: pictures.length / dataset.labelDim, emaStd: std },
    nearestTrainingImage: {
      samples: classMean(ofSamples, labels),
      heldOut: classMean(
        ofUnseen,
        indices.map((i) => unseen.label(i)),
      ),
    },
  };
}

/** Mean distance of each class, averaged over classes: rare ones count as much as common ones. */
function classMean(neighbours: readonly Neighbour[], labels: readonly number[]): number {
  const means = [...new Set(labels)].map((label) => {
    const own = neighbours.filter((_, i) => labels[i] === label);
    return own.reduce((sum, { distance }) => sum + distance, 0) / own.length;
  });
  return means.reduce((sum, mean) => sum + mean, 0) / means.length;
}

/** Class after class: each sample, its nearest image, an empty place. */
function pairs({ pictures, labels }: Samples, neighbours: readonly Neighbour[], trained: PictureSet) {
  const empty = new Uint8Array(pictures[0]!.length).fill(255);
  const order = [...labels.keys()].sort((a, b) => labels[a]! - labels[b]! || a - b);
  const perClass = pictures.length / trained.labelDim;
  // So many that a class fills whole rows.
  let columns = Math.min(mostPairs, perClass);
  while (perClass % columns !== 0) columns--;
  const cells = order.flatMap((i, place) => {
    const pair = [pictures[i]!, trained.image(neighbours[i]!.index)];
    return place % columns === columns - 1 ? pair : [...pair, empty];
  });
  return imageGrid(cells, { columns: 3 * columns - 1, scale: 3, gap: 3 });
}
