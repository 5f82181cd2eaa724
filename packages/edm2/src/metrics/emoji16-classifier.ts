import { type HostArray, readSafetensors, writeSafetensors } from '@evenkeel/formats';
import { concat, split, tensor } from '@evenkeel/tensor';
import { readAsset } from '../data/asset.ts';
import type { PictureSet } from '../data/dataset.ts';
import { pixelsToLatents } from '../data/rgb.ts';
import { stateDictOf } from '../ema/tracker.ts';
import { type Agreement, agreement } from './agreement.ts';
import { Classifier, type ClassifierOptions } from './classifier.ts';

const file = 'emoji16-classifier.safetensors';

/**
 * Which images of emoji16 the shipped classifier was not trained on: those that `splitHeldOut(emoji, classifierSplit)`
 * holds out.
 */
export const classifierSplit = { fraction: 0.2, seed: 0 } as const;

/**
 * Loads the embedded classifier of the emoji16 classes, which was trained by this library
 * (`packages/edm2/scripts/train-classifier.ts`). It judges samples: which class would one say they show?
 *
 * @param options folder that holds the file, where a bundler moved it.
 * @throws Error when the file cannot be read.
 * @example
 * ```ts
 * using classifier = await loadEmoji16Classifier();
 * const emoji = await loadEmoji16();
 * const [label] = await classify(classifier, [emoji.image(2089)]);
 * emoji.classNames[label!]; // 'clock'
 * ```
 */
export async function loadEmoji16Classifier(options: { readonly folder?: URL | string } = {}): Promise<Classifier> {
  return decodeClassifier(await readAsset(file, options.folder));
}

/**
 * The classifier with weights `values`, as one file of float16 numbers.
 *
 * @example
 * ```ts
 * const options = { imgChannels: 3, labelCount: 2, widths: [8, 16] };
 * using classifier = new Classifier(options);
 * const bytes = encodeClassifier(options, await readStateDict(classifier.stateDict()));
 * ```
 */
export function encodeClassifier(options: ClassifierOptions, values: ReadonlyMap<string, HostArray>): Uint8Array {
  const { imgChannels, labelCount, widths } = options;
  const stored = [...values].map(([name, array]): [string, HostArray] => [name, { ...array, dtype: 'float16' }]);
  return writeSafetensors(stored, { network: JSON.stringify({ imgChannels, labelCount, widths }) });
}

/**
 * Makes again what {@link encodeClassifier} wrote.
 *
 * @example
 * ```ts
 * const options = { imgChannels: 3, labelCount: 2, widths: [8, 16] };
 * using trained = new Classifier(options);
 * using classifier = decodeClassifier(encodeClassifier(options, await readStateDict(trained.stateDict())));
 * classifier.call(zeros([1, 3, 16, 16])); // [1, 2]
 * ```
 */
export function decodeClassifier(bytes: Uint8Array): Classifier {
  const { tensors, metadata } = readSafetensors(bytes, { file });
  const classifier = new Classifier(JSON.parse(metadata.get('network') ?? '{}') as ClassifierOptions);
  classifier.loadStateDict(stateDictOf(tensors));
  return classifier;
}

/**
 * The likeliest class of each picture, `[N]`: of the picture and its mirror image together.
 *
 * @param pictures pixels `[C, R, R]` of each, 0 to 255, all of one size; none gives none.
 * @example
 * ```ts
 * using classifier = await loadEmoji16Classifier();
 * const emoji = await loadEmoji16();
 * const pictures = [2088, 2089].map((index) => emoji.image(index));
 * await classify(classifier, pictures); // [9, 9], clocks
 * ```
 */
export async function classify(classifier: Classifier, pictures: readonly Uint8Array[]): Promise<Int32Array> {
  const [first] = pictures;
  if (first === undefined) return new Int32Array(0);
  const { imgChannels } = classifier;
  const side = Math.sqrt(first.length / imgChannels);
  const latents = new Float32Array(pictures.length * first.length);
  for (const [i, picture] of pictures.entries()) latents.set(pixelsToLatents(picture), i * first.length);
  const images = tensor(latents, { shape: [pictures.length, imgChannels, side, side] });
  const [plain, mirrored] = split(classifier.call(concat([images, images.flip(3)])).logSoftmax(1), 2);
  return Int32Array.from(await plain!.add(mirrored!).argmax(1).data());
}

/**
 * How many pictures of `dataset` it names rightly, over all and for each class.
 *
 * @example
 * ```ts
 * using classifier = await loadEmoji16Classifier();
 * const emoji = await loadEmoji16();
 * const { heldOut } = splitHeldOut(emoji, classifierSplit);
 * const { overall, classes } = await accuracy(classifier, subset(emoji, heldOut.slice(0, 8)));
 * overall === classes.person; // true, for the first eight are persons
 * ```
 */
export async function accuracy(classifier: Classifier, dataset: PictureSet): Promise<Agreement> {
  const indices = Array.from({ length: dataset.length }, (_, index) => index);
  const guesses = await classify(
    classifier,
    indices.map((index) => dataset.image(index)),
  );
  return agreement(
    guesses,
    indices.map((index) => dataset.label(index)),
    dataset.classNames,
  );
}
