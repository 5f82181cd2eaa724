// Rebuilds assets/emoji16.png and assets/emoji16.json from the npm package that they come from:
//
//   npm run build && node packages/edm2/scripts/build-emoji16.mjs [FOLDER]
//
// FOLDER is the unpacked package; without it, `npm pack` downloads the package (74 MB) to a temporary folder.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodePng, encodePng } from '@evenkeel/formats';

const source = { package: 'emoji-datasource-google', version: '16.0.0', sheet: 'img/google/sheets-clean/16.png' };
const resolution = 16;
const sheetPitch = resolution + 2; // each picture of the sheet has a transparent border of one pixel
const columns = 64;

/** Classes that look alike, by the subcategories they are made of; what is in none of them is left out. */
const classes = {
  person: ['person', 'person-role', 'person-gesture', 'person-fantasy'],
  animal: [
    'animal-mammal',
    'animal-bird',
    'animal-marine',
    'animal-reptile',
    'animal-amphibian',
    'animal-bug',
    'cat-face',
    'monkey-face',
  ],
  plant: ['plant-flower', 'plant-other'],
  food: ['food-fruit', 'food-vegetable', 'food-prepared', 'food-asian', 'food-sweet', 'drink'],
  vehicle: ['transport-ground', 'transport-air', 'transport-water'],
  flag: ['country-flag', 'subdivision-flag', 'flag'],
  hand: [
    'hand-fingers-open',
    'hand-fingers-partial',
    'hand-single-finger',
    'hand-fingers-closed',
    'hands',
    'hand-prop',
  ],
  face: [
    'face-smiling',
    'face-affection',
    'face-tongue',
    'face-hand',
    'face-neutral-skeptical',
    'face-sleepy',
    'face-unwell',
    'face-hat',
    'face-glasses',
    'face-concerned',
    'face-negative',
    'face-costume',
  ],
  symbol: ['heart', 'zodiac'],
  clock: ['time'],
};

/**
 * @typedef {{ unified: string, sheet_x: number, sheet_y: number, has_img_google: boolean }} Picture
 * @typedef {Picture & { short_name: string, subcategory: string, sort_order: number, skin_variations?: Record<string, Picture> }} Emoji
 */

const given = process.argv[2];
const temporary = given === undefined ? mkdtempSync(join(tmpdir(), 'emoji16-')) : undefined;
try {
  build(given ?? download(/** @type {string} */ (temporary)));
} finally {
  if (temporary !== undefined) rmSync(temporary, { recursive: true });
}

/** @param {string} folder @returns {string} the folder of the unpacked package */
function download(folder) {
  const shell = process.platform === 'win32';
  const pack = ['pack', `${source.package}@${source.version}`, '--silent'];
  const tarball = execFileSync('npm', pack, { cwd: folder, shell, encoding: 'utf8' }).trim();
  execFileSync('tar', ['xzf', tarball], { cwd: folder });
  return join(folder, 'package');
}

/** @param {string} folder */
function build(folder) {
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  if (version !== source.version)
    throw new Error(`build-emoji16: ${folder} holds version ${version}, not ${source.version}`);
  const sheet = decodePng(readFileSync(join(folder, source.sheet)), { file: source.sheet });
  /** @type {Emoji[]} */
  const emoji = JSON.parse(readFileSync(join(folder, 'emoji.json'), 'utf8'));
  emoji.sort((a, b) => a.sort_order - b.sort_order);

  /** @type {Set<string>} */
  const seen = new Set();
  /** @type {Uint8Array[]} */
  const cells = [];
  const listed = Object.entries(classes).map(([name, subcategories]) => {
    /** @type {string[]} */
    const images = [];
    for (const { short_name, subcategory, skin_variations, ...plain } of emoji) {
      if (!subcategories.includes(subcategory)) continue;
      for (const picture of [plain, ...Object.values(skin_variations ?? {})]) {
        if (!picture.has_img_google) continue;
        const cell = onWhite(sheet, picture);
        const content = cell.join();
        if (seen.has(content)) continue;
        seen.add(content);
        cells.push(cell);
        images.push(`${picture.unified}=${short_name}`);
      }
    }
    console.log(`${name.padEnd(8)} ${images.length}`);
    return { name, subcategories: subcategories.join(' '), images: images.join(' ') };
  });

  const rows = Math.ceil(cells.length / columns);
  const width = columns * resolution;
  const data = new Uint8Array(width * rows * resolution * 3).fill(255);
  cells.forEach((cell, i) => {
    const corner = (Math.floor(i / columns) * resolution * width + (i % columns) * resolution) * 3;
    for (let y = 0; y < resolution; y++) {
      data.set(cell.subarray(y * resolution * 3, (y + 1) * resolution * 3), corner + y * width * 3);
    }
  });
  const png = encodePng({ width, height: rows * resolution, channels: 3, data });
  const index = { name: 'emoji16', source, resolution, columns, classes: listed };
  const assets = fileURLToPath(new URL('../assets/', import.meta.url));
  writeFileSync(join(assets, 'emoji16.png'), png);
  writeFileSync(join(assets, 'emoji16.json'), `${JSON.stringify(index, null, 2)}\n`);
  console.log(`${cells.length} images, ${png.length} bytes`);
}

/**
 * One picture of the sheet, `[16, 16, 3]`.
 *
 * @param {import('@evenkeel/formats').RasterImage} sheet @param {Picture} picture
 */
function onWhite(sheet, picture) {
  const rgb = new Uint8Array(resolution * resolution * 3);
  for (let y = 0; y < resolution; y++) {
    for (let x = 0; x < resolution; x++) {
      const row = picture.sheet_y * sheetPitch + 1 + y;
      const pixel = (row * sheet.width + picture.sheet_x * sheetPitch + 1 + x) * 4;
      const alpha = sheet.data[pixel + 3] ?? 0;
      for (let c = 0; c < 3; c++) {
        const value = (sheet.data[pixel + c] ?? 0) * alpha + 255 * (255 - alpha);
        rgb[(y * resolution + x) * 3 + c] = Math.round(value / 255);
      }
    }
  }
  return rgb;
}
