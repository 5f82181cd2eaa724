import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { wasm } from '@evenkeel/backend-wasm';
import { Generator, withBackend } from '@evenkeel/tensor';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { distort, drawsPerPicture } from '../scripts/classifier/distort.ts';
import { trainClassifier } from '../scripts/classifier/train.ts';
import { latentsToPixels, loadEmoji16, pixelsToLatents, splitHeldOut, subset } from '../src/data/index.ts';
import { Classifier } from '../src/metrics/classifier.ts';
import {
  accuracy,
  classifierSplit,
  classify,
  decodeClassifier,
  encodeClassifier,
  loadEmoji16Classifier,
} from '../src/metrics/emoji16-classifier.ts';

const emoji = await loadEmoji16();
const { train, heldOut } = splitHeldOut(emoji, classifierSplit);
const backend = wasm({ threads: 1 });
afterAll(() => backend.dispose());

describe('the shipped classifier', () => {
  test('names more than 85% of the pictures that it was not trained on', async () => {
    const { overall, classes } = await withBackend(backend, async () => {
      using classifier = await loadEmoji16Classifier();
      return accuracy(classifier, subset(emoji, heldOut));
    });
    expect(overall).toBeGreaterThan(0.85);
    // What the docs say of each class.
    const page = readFileSync(new URL('../../../docs/quickstart-recipe.md', import.meta.url), 'utf8');
    const stated = Object.fromEntries(
      [...page.matchAll(/^\| (\w+) \| (\d+) of (\d+) \|/gm)].map(([, name, right, all]) => [
        name as string,
        Number(right) / Number(all),
      ]),
    );
    expect(classes).toEqual(stated);
    expect(Object.keys(classes)).toEqual(emoji.classNames);
  });

  test('is a small file', () => {
    const path = fileURLToPath(new URL('../assets/emoji16-classifier.safetensors', import.meta.url));
    expect(statSync(path).size).toBeLessThan(400_000);
  });
});

const network = { imgChannels: 3, labelCount: 10, widths: [4, 8] };

describe('Classifier', () => {
  test('survives its file, up to the rounding of float16', async () => {
    using made = new Classifier({ ...network, generator: new Generator(1) });
    const values = await trainClassifier(subset(emoji, train), { network, steps: 1, seed: 1, onStep: () => {} });
    const bytes = encodeClassifier(network, values);
    using read = decodeClassifier(bytes);
    expect(encodeClassifier(network, values)).toEqual(bytes);
    expect([...read.stateDict().keys()]).toEqual([...made.stateDict().keys()]);
    for (const [name, tensor] of read.stateDict()) {
      const [stored, own] = [await tensor.data(), values.get(name)!.data as Float32Array];
      stored.forEach((value, i) => {
        expect(Math.abs((value as number) - own[i]!)).toBeLessThanOrEqual(2 ** -11 * Math.abs(own[i]!) + 2 ** -25);
      });
    }
  });

  test('sees a picture and its mirror image alike', async () => {
    using classifier = new Classifier({ ...network, generator: new Generator(2) });
    const pictures = [3, 1200, 2000].map((index) => emoji.image(index));
    const mirrored = pictures.map((picture) => picture.map((_, i) => picture[i - (i % 16) + 15 - (i % 16)]!));
    expect(await classify(classifier, mirrored)).toEqual(await classify(classifier, pictures));
    expect(await classify(classifier, [])).toEqual(new Int32Array(0));
  });
});

describe('training it', () => {
  test('repeats itself and reports each step', async () => {
    const run = async () => {
      const losses: number[] = [];
      const onStep = ({ loss }: { loss: number }) => losses.push(loss);
      const values = await trainClassifier(subset(emoji, train), { network, steps: 3, seed: 3, onStep });
      return { losses, values };
    };
    const { losses, values } = await run();
    expect(losses).toHaveLength(3);
    expect(losses.every((loss) => loss > 0 && loss < 10)).toBe(true);
    expect(await run()).toEqual({ losses, values });
  });

  test('pictures and their variants of skin tone are on one side of the split', () => {
    const seen = new Set(Array.from(train, (index) => emoji.group(index)));
    expect(Array.from(heldOut, (index) => emoji.group(index)).filter((group) => seen.has(group))).toEqual([]);
  });
});

describe('distort', () => {
  const middle = () => new Array<number>(drawsPerPicture).fill(0.5);

  test('with every draw in the middle leaves a picture as it is; the first mirrors it', () => {
    fc.assert(
      fc.property(fc.nat(emoji.length - 1), (index) => {
        const picture = emoji.image(index);
        expect(latentsToPixels(distort(picture, 16, middle()))).toEqual(Uint8Array.from(picture));
        const mirrored = latentsToPixels(distort(picture, 16, [0, ...middle().slice(1)]));
        expect(mirrored).toEqual(picture.map((_, i) => picture[i - (i % 16) + 15 - (i % 16)]!));
      }),
    );
  });

  test('white stays white, whatever is drawn but the light', () => {
    const white = new Uint8Array(768).fill(255);
    const unit = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(unit, { minLength: drawsPerPicture, maxLength: drawsPerPicture }), (draws) => {
        expect(distort(white, 16, draws)).toEqual(pixelsToLatents(white));
      }),
    );
  });
});
