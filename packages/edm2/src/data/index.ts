export { classBalanced, labelsOf } from './class-balanced.ts';
export { type ImageDataset, subset } from './dataset.ts';
export { decodeEmoji16, type Emoji16, type Emoji16Index, loadEmoji16 } from './emoji16.ts';
export { type HeldOutOptions, type HeldOutSplit, splitHeldOut } from './held-out.ts';
export { type ImageGridOptions, imageGrid } from './image-grid.ts';
export { latentsToPixels, pixelsToLatents } from './rgb.ts';
