import type { RasterImage } from '@evenkeel/formats';

/** How pixels between pixels are made: averages of areas, cubic splines (a = -0.5), or windowed sincs of three lobes. */
export type ResizeFilter = 'box' | 'bicubic' | 'lanczos';

interface FilterShape {
  /** Half of its width, in pixels of the larger of the two images. */
  readonly support: number;
  readonly at: (x: number) => number;
}

const filters: Readonly<Record<ResizeFilter, FilterShape>> = {
  box: { support: 0.5, at: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bicubic: { support: 2, at: cubic },
  lanczos: { support: 3, at: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

function cubic(x: number): number {
  const a = -0.5;
  const d = Math.abs(x);
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** Weights are whole multiples of 2^-22. */
const weightBits = 22;

/** Which input pixels make each output pixel along one axis, and how much of each. */
interface Weights {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `[out, widest]`. */
  readonly values: Int32Array;
  readonly widest: number;
}

/**
 * Resizes 8-bit pixels as Pillow does, bit for bit: antialiased, rows first and then columns, each pass in fixed-point
 * arithmetic with its result rounded to 8 bits. An axis that keeps its size is left alone.
 *
 * @throws RangeError when a side is not a positive integer.
 * @example
 * ```ts
 * const image = { width: 4, height: 1, channels: 1, data: new Uint8Array([0, 0, 200, 200]) } as const;
 * resizeImage(image, { width: 2, height: 1, filter: 'box' }).data; // Uint8Array [0, 200]
 * ```
 */
export function resizeImage(
  image: RasterImage,
  { width, height, filter }: { readonly width: number; readonly height: number; readonly filter: ResizeFilter },
): RasterImage {
  for (const side of [width, height]) {
    if (!Number.isInteger(side) || side < 1) throw new RangeError(`resizeImage: ${width} x ${height} is no size`);
  }
  const { channels } = image;
  let data = image.data;
  if (width !== image.width) {
    const lines = { count: image.height, stride: image.width * channels, outStride: width * channels };
    data = resizeAxis(data, weightsOf(image.width, width, filter), { ...lines, step: channels, channels });
  }
  if (height !== image.height) {
    // A column of all channels is a line whose pixels stand a row apart.
    const lines = { count: width, stride: channels, outStride: channels };
    data = resizeAxis(data, weightsOf(image.height, height, filter), { ...lines, step: width * channels, channels });
  }
  return { width, height, channels, data };
}

interface Lines {
  readonly count: number;
  readonly stride: number;
  readonly outStride: number;
  /** Between neighbours of a line, before and after. */
  readonly step: number;
  readonly channels: number;
}

function resizeAxis(
  data: Uint8Array,
  weights: Weights,
  { count, stride, outStride, step, channels }: Lines,
): Uint8Array {
  const { first, count: taps, values, widest } = weights;
  const size = first.length;
  const out = new Uint8Array(count * size * channels);
  for (let line = 0; line < count; line++) {
    for (let i = 0; i < size; i++) {
      const from = line * stride + first[i]! * step;
      const to = line * outStride + i * step;
      for (let c = 0; c < channels; c++) {
        let sum = 1 << (weightBits - 1);
        for (let k = 0; k < taps[i]!; k++) sum += data[from + k * step + c]! * values[i * widest + k]!;
        out[to + c] = Math.min(Math.max(sum >> weightBits, 0), 255);
      }
    }
  }
  return out;
}

function weightsOf(inSize: number, outSize: number, filter: ResizeFilter): Weights {
  const { support, at } = filters[filter];
  const scale = inSize / outSize;
  const stretch = Math.max(scale, 1);
  const reach = support * stretch;
  const widest = Math.ceil(reach) * 2 + 1;
  const first = new Int32Array(outSize);
  const count = new Int32Array(outSize);
  const values = new Int32Array(outSize * widest);
  for (let i = 0; i < outSize; i++) {
    const center = (i + 0.5) * scale;
    const start = Math.max(Math.trunc(center - reach + 0.5), 0);
    const end = Math.min(Math.trunc(center + reach + 0.5), inSize);
    const own = Array.from({ length: end - start }, (_, k) => at((k + start - center + 0.5) * (1 / stretch)));
    const total = own.reduce((sum, weight) => sum + weight, 0);
    first[i] = start;
    count[i] = own.length;
    own.forEach((weight, k) => {
      const fixed = (total === 0 ? weight : weight / total) * 2 ** weightBits;
      values[i * widest + k] = Math.trunc(fixed + (fixed < 0 ? -0.5 : 0.5));
    });
  }
  return { first, count, values, widest };
}
