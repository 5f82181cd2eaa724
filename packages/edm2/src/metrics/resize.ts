/** Planes of numbers, `[N, C, H, W]`. */
export interface Planes {
  readonly shape: readonly [count: number, channels: number, height: number, width: number];
  readonly data: ArrayLike<number>;
}

/**
 * Pictures of another size, by bicubic interpolation with antialiasing (Keys' kernel, a = -0.5), as PyTorch and Pillow do
 * it: where a picture shrinks, the kernel widens with it. Neither rounded nor clipped. At the same size, the picture.
 *
 * @returns `[N, C, height, width]`.
 * @throws RangeError when a size is not a whole number of at least 1.
 * @example
 * ```ts
 * const ramp = { shape: [1, 1, 1, 4] as const, data: [0, 1, 2, 3] };
 * resizeBicubic(ramp, 1, 2); // [0.586777, 2.413223]
 * ```
 */
export function resizeBicubic(planes: Planes, height: number, width: number): Float32Array {
  const [count, channels, fromHeight, fromWidth] = planes.shape;
  for (const side of [height, width, fromHeight, fromWidth]) {
    if (!(Number.isInteger(side) && side >= 1)) {
      throw new RangeError(`resizeBicubic: cannot make ${fromHeight} x ${fromWidth} pixels ${height} x ${width}`);
    }
  }
  const [across, down] = [tapsOf(fromWidth, width), tapsOf(fromHeight, height)];
  const result = new Float32Array(count * channels * height * width);
  const rows = new Float64Array(fromHeight * width);
  for (let plane = 0; plane < count * channels; plane++) {
    const from = plane * fromHeight * fromWidth;
    for (let y = 0; y < fromHeight; y++) {
      across.forEach(({ first, weights }, x) => {
        let sum = 0;
        for (let k = 0; k < weights.length; k++) sum += weights[k]! * planes.data[from + y * fromWidth + first + k]!;
        rows[y * width + x] = sum;
      });
    }
    const to = plane * height * width;
    down.forEach(({ first, weights }, y) => {
      for (let x = 0; x < width; x++) {
        let sum = 0;
        for (let k = 0; k < weights.length; k++) sum += weights[k]! * rows[(first + k) * width + x]!;
        result[to + y * width + x] = sum;
      }
    });
  }
  return result;
}

/** What a pixel is made of: so many pixels from `first` on. */
interface Taps {
  readonly first: number;
  /** They sum to 1. */
  readonly weights: Float64Array;
}

function tapsOf(from: number, to: number): Taps[] {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  return Array.from({ length: to }, (_, i) => {
    const center = scale * (i + 0.5);
    const first = Math.max(Math.floor(center - 2 * stretch + 0.5), 0);
    const end = Math.min(Math.floor(center + 2 * stretch + 0.5), from);
    const weights = Float64Array.from({ length: end - first }, (__, k) => keys((first + k - center + 0.5) / stretch));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

/** Keys' cubic kernel with a = -0.5: 1 at 0, 0 at other whole numbers. */
function keys(x: number): number {
  const distance = Math.abs(x);
  if (distance < 1) return (1.5 * distance - 2.5) * distance * distance + 1;
  return distance < 2 ? ((-0.5 * distance + 2.5) * distance - 4) * distance + 2 : 0;
}
