// Builds the page into `dist/`, or the folder that is named: `npm run site -- some/folder`.
import { resolve } from 'node:path';
import { buildSite } from './build-site.mjs';

const [folder] = process.argv.slice(2);
console.log(`built ${await buildSite(folder && resolve(folder))}`);
