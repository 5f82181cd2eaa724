import { decodePng } from '@evenkeel/formats';
import { readAsset } from './asset.ts';
import { checkedIndex, type PictureSet } from './dataset.ts';

/** What `emoji16.json` holds. Pictures stand in the atlas row by row, class after class. */
export interface Emoji16Index {
  readonly name: string;
  /** The npm package and the sheet in it that the atlas was made from. */
  readonly source: { readonly package: string; readonly version: string; readonly sheet: string };
  /** Side of a cell in pixels. */
  readonly resolution: number;
  /** Cells in a row of the atlas. */
  readonly columns: number;
  readonly classes: readonly {
    readonly name: string;
    /** Emoji subcategories that the class is made of, separated by spaces. */
    readonly subcategories: string;
    /** `code=name` of each picture, separated by spaces: Unicode code points joined by `-`, and the short name. */
    readonly images: string;
  }[];
}

/** Emoji in 10 visual classes, 16x16 RGB, composited on white. */
export interface Emoji16 extends PictureSet {
  /** All pixels, `[N, 3, 16, 16]`, 0 to 255. */
  readonly images: Uint8Array;
  /** `[N]`. */
  readonly labels: Uint8Array;
  /** Short name of each picture, without skin tone, such as `fox_face`. */
  readonly names: readonly string[];
  /** Unicode code points of each picture, such as `1F44B-1F3FD`. */
  readonly codes: readonly string[];
  /** The code without skin tones: pictures that share it are variants of one another. */
  group(index: number): string;
}

const channels = 3;

/**
 * Makes the data set from the bytes of `emoji16.png` and the parsed `emoji16.json`, wherever they came from. Computes only:
 * runs in browsers.
 *
 * @throws Error when the atlas is damaged or does not have the size that the index says.
 * @example
 * ```ts
 * const png = encodePng({ width: 32, height: 16, channels: 3, data: new Uint8Array(32 * 16 * 3) }); // or what fetch gave
 * const index: Emoji16Index = {
 *   name: 'pets',
 *   source: { package: 'emoji-datasource-google', version: '16.0.0', sheet: 'img/google/sheets/16.png' },
 *   resolution: 16,
 *   columns: 2,
 *   classes: [{ name: 'pet', subcategories: 'animal-mammal', images: '1F408=cat2 1F415=dog2' }],
 * };
 * decodeEmoji16(png, index).names; // ['cat2', 'dog2']
 * ```
 */
export function decodeEmoji16(png: Uint8Array, index: Emoji16Index): Emoji16 {
  const { name, resolution, columns } = index;
  const entries = index.classes.flatMap(({ images }, label) => {
    return images.split(' ').map((entry) => {
      const [code = '', shortName = ''] = entry.split('=');
      return { code, shortName, label };
    });
  });
  const atlas = decodePng(png, { file: `${name}.png` });
  const [width, height] = [columns * resolution, Math.ceil(entries.length / columns) * resolution];
  if (atlas.channels !== channels || atlas.width !== width || atlas.height !== height) {
    const got = `${atlas.width} x ${atlas.height} x ${atlas.channels}`;
    throw new Error(`decodeEmoji16: the atlas is ${got}, its index needs ${width} x ${height} x ${channels}`);
  }

  const plane = resolution * resolution;
  const size = channels * plane;
  const images = new Uint8Array(entries.length * size);
  for (let i = 0; i < entries.length; i++) {
    const [top, left] = [Math.floor(i / columns) * resolution, (i % columns) * resolution];
    for (let pixel = 0; pixel < plane; pixel++) {
      const from = (top + Math.floor(pixel / resolution)) * width + left + (pixel % resolution);
      for (let c = 0; c < channels; c++) images[i * size + c * plane + pixel] = atlas.data[from * channels + c]!;
    }
  }

  const labels = Uint8Array.from(entries, ({ label }) => label);
  const codes = entries.map(({ code }) => code);
  const at = (i: number) => checkedIndex({ name, length: entries.length }, i);
  return {
    name,
    length: entries.length,
    channels,
    resolution,
    labelDim: index.classes.length,
    classNames: index.classes.map((one) => one.name),
    images,
    labels,
    names: entries.map(({ shortName }) => shortName),
    codes,
    image: (i) => images.subarray(at(i) * size, (at(i) + 1) * size),
    label: (i) => labels[at(i)]!,
    group: (i) => withoutSkinTones(codes[at(i)]!),
  };
}

// A skin tone replaces the emoji presentation selector FE0F, so both go.
function withoutSkinTones(code: string): string {
  return code.replace(/-(1F3F[B-F]|FE0F)/g, '');
}

/**
 * Loads the embedded data set: 2,090 Noto emoji (Apache License 2.0; see `assets/ATTRIBUTION.md`), 16x16 RGB, in 10 visual
 * classes of 29 to 997 pictures: draw classes evenly. Do not mirror them: flags and clocks would be wrong.
 *
 * In Node the files of this package are read; in a browser they are fetched from beside the module. Where a bundler moved
 * them, give `folder`, or use {@link decodeEmoji16}.
 *
 * @throws Error when the files cannot be read.
 * @example
 * ```ts
 * const emoji = await loadEmoji16();
 * emoji.classNames[emoji.label(0)]; // 'person'
 * ```
 */
export async function loadEmoji16(options: { readonly folder?: URL | string } = {}): Promise<Emoji16> {
  const [png, json] = await Promise.all([
    readAsset('emoji16.png', options.folder),
    readAsset('emoji16.json', options.folder),
  ]);
  return decodeEmoji16(png, JSON.parse(new TextDecoder().decode(json)) as Emoji16Index);
}
