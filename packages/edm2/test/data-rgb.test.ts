import { expect, test } from 'vitest';
import { latentsToPixels, pixelsToLatents } from '../src/data/rgb.ts';

test('all 256 values survive encoding and decoding', () => {
  const all = Uint8Array.from({ length: 256 }, (_, value) => value);
  expect(latentsToPixels(pixelsToLatents(all))).toEqual(all);
});

test('latents equal those of float32 arithmetic, bit for bit', () => {
  // Computed with PyTorch.
  const pixels = [0, 1, 2, 63, 64, 126, 127, 128, 129, 200, 254, 255];
  const latents = [
    -1, -0.99215686, -0.9843137, -0.5058824, -0.4980392, -0.011764705, -0.0039215684, 0.003921628, 0.011764765,
    0.5686275, 0.99215686, 1,
  ];
  expect(pixelsToLatents(pixels)).toEqual(new Float32Array(latents));
});

test('decoding adds 128, truncates and clips', () => {
  // Computed with PyTorch.
  const latents = new Float32Array([
    -1.3, -1.25, -1.2, -1.15, -1.1, -1.05, -1, -0.95, -0.9, -0.85, -0.8, -0.75, -0.7, -0.65, -0.6, -0.55, -0.5, -0.45,
    -0.4, -0.35, -0.3, -0.25, -0.2, -0.15, -0.1, -0.05, 0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55,
    0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1, 1.05, 1.1, 1.15, 1.2, 1.25, 1.3, -1, 1, 0, -0.0039, 0.0039, 0.99999,
    -1.00001,
  ]);
  const pixels = [
    0, 0, 0, 0, 0, 0, 0, 6, 13, 19, 26, 32, 38, 45, 51, 57, 64, 70, 77, 83, 89, 96, 102, 108, 115, 121, 128, 134, 140,
    147, 153, 159, 166, 172, 179, 185, 191, 198, 204, 210, 217, 223, 230, 236, 242, 249, 255, 255, 255, 255, 255, 255,
    255, 0, 255, 128, 127, 128, 255, 0,
  ];
  expect(latentsToPixels(latents)).toEqual(new Uint8Array(pixels));
  expect(latentsToPixels([NaN, Infinity, -Infinity])).toEqual(new Uint8Array([0, 255, 0]));
});
