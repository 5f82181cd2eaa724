// Makes a data set of 64-pixel pictures for trying things out, from the npm package `emoji-datasource-google`:
//
//   npm pack emoji-datasource-google@16.0.0 && tar -xzf emoji-datasource-google-16.0.0.tgz     # 74 MB, unpacks to package/
//   npm run build-emoji64 -w packages/edm2 -- "$PWD/package" "$PWD/emoji64.zip"
//
// One picture for each emoji, on white; variants of skin colour are left out, so that none of a picture that is held out
// has been seen. Classes are the package's categories. What it makes is for `edm2 train --data emoji64.zip`.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodePng, encodePng, type RasterImage } from '@evenkeel/formats';
import { createDataset, imageName } from '../src/node/data/dataset-writer.ts';

const [folder, destination] = process.argv.slice(2);
if (folder === undefined || destination === undefined) throw new Error('build-emoji64: give PACKAGE-FOLDER FILE.zip');

interface Emoji {
  readonly image: string;
  readonly category: string;
  readonly sort_order: number;
  readonly has_img_google: boolean;
}
const emojis = (JSON.parse(readFileSync(join(folder, 'emoji.json'), 'utf8')) as Emoji[])
  .filter(({ category, has_img_google }) => has_img_google && category !== 'Component')
  .sort((a, b) => a.sort_order - b.sort_order);
const classes = [...new Set(emojis.map(({ category }) => category))].sort();

const dataset = await createDataset(destination);
for (const [index, { image, category }] of emojis.entries()) {
  const picture = onWhite(decodePng(readFileSync(join(folder, 'img/google/64', image)), { file: image }));
  await dataset.add(imageName(index, 'img*.png'), encodePng(picture), classes.indexOf(category));
}
await dataset.finish();
console.log(`${destination}: ${emojis.length} pictures of ${classes.length} classes: ${classes.join(', ')}`);

/** As RGB, whether it is in colour and transparent or not. */
function onWhite({ width, height, channels, data }: RasterImage): RasterImage {
  const colours = channels > 2 ? 3 : 1;
  const opaque = new Uint8Array(3 * width * height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const at = channels * pixel;
    const alpha = channels > colours ? data[at + colours]! : 255;
    for (let c = 0; c < 3; c++) {
      opaque[3 * pixel + c] = Math.round((data[at + (c % colours)]! * alpha + 255 * (255 - alpha)) / 255);
    }
  }
  return { width, height, channels: 3, data: opaque };
}
