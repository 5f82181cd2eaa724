const { fround } = Math;

/**
 * The RGB encoder of EDM2: pixels 0 to 255, `[N]`, to float32 latents -1 to 1, `u / 127.5 - 1`. Rounds as float32
 * arithmetic does.
 *
 * @example
 * ```ts
 * pixelsToLatents(new Uint8Array([0, 255])); // Float32Array [-1, 1]
 * ```
 */
export function pixelsToLatents(pixels: ArrayLike<number>): Float32Array {
  const latents = new Float32Array(pixels.length);
  for (let i = 0; i < pixels.length; i++) latents[i] = fround(pixels[i]! / 127.5) - 1;
  return latents;
}

/**
 * The RGB decoder of EDM2: latents, `[N]`, to pixels, `trunc(clip(127.5 x + 128, 0, 255))`. With 128 and truncation, all
 * 256 pixel values survive encoding and decoding. NaN becomes 0.
 *
 * @example
 * ```ts
 * latentsToPixels([-1, 0, 1, 7]); // Uint8Array [0, 128, 255, 255]
 * ```
 */
export function latentsToPixels(latents: ArrayLike<number>): Uint8Array {
  const pixels = new Uint8Array(latents.length);
  for (let i = 0; i < latents.length; i++) {
    const value = fround(fround(latents[i]! * 127.5) + 128);
    pixels[i] = Math.min(Math.max(value, 0), 255);
  }
  return pixels;
}
