/** Numbers that {@link distort} needs for one picture. */
export const drawsPerPicture = 9;

/**
 * A picture as it might also look: mirrored, turned, moved, scaled, in a somewhat different light; white comes in at the
 * edges. All that remains of its class is kept.
 *
 * @param pixels `[3, side, side]`, 0 to 255
 * @param draws uniform, 0 to 1, {@link drawsPerPicture} of them
 * @returns latents `[3, side, side]`, about -1 to 1
 */
export function distort(pixels: Uint8Array, side: number, draws: ArrayLike<number>): Float32Array {
  const draw = (i: number, amount: number): number => amount * (2 * (draws[i] as number) - 1);
  const mirror = (draws[0] as number) < 0.5 ? -1 : 1;
  const angle = draw(1, 0.25);
  const scale = Math.exp(draw(2, 0.2));
  const [stretch, down, right] = [Math.exp(draw(3, 0.1)), draw(4, 2), draw(5, 2)];
  const [contrast, light, tint] = [Math.exp(draw(6, 0.25)), draw(7, 0.15), draw(8, 0.1)];
  const [cos, sin] = [Math.cos(angle) / scale, Math.sin(angle) / scale];
  const middle = (side - 1) / 2;
  const plane = side * side;
  const latents = new Float32Array(3 * plane);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const [v, u] = [y - middle - down, (x - middle - right) * mirror];
      const fromY = middle + (cos * v + sin * u) * stretch;
      const fromX = middle + (cos * u - sin * v) / stretch;
      for (let c = 0; c < 3; c++) {
        const value = between(pixels.subarray(c * plane, (c + 1) * plane), side, fromY, fromX) / 127.5 - 1;
        // White stays white: the light changes how far from it the rest is.
        latents[c * plane + y * side + x] = 1 - (1 - value) * contrast * (1 + light + (c - 1) * tint);
      }
    }
  }
  return latents;
}

/** Bilinear; white outside. */
function between(plane: Uint8Array, side: number, y: number, x: number): number {
  const [top, left] = [Math.floor(y), Math.floor(x)];
  const [low, far] = [y - top, x - left];
  const at = (row: number, column: number): number =>
    row >= 0 && row < side && column >= 0 && column < side ? (plane[row * side + column] as number) : 255;
  const upper = at(top, left) * (1 - far) + at(top, left + 1) * far;
  const lower = at(top + 1, left) * (1 - far) + at(top + 1, left + 1) * far;
  return upper * (1 - low) + lower * low;
}
