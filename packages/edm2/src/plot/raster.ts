import type { RasterImage } from '@evenkeel/formats';
import type { Drawing, PlotPoint, Shape } from './drawing.ts';
import { textStrokes } from './stroke-font.ts';

/** Options of {@link drawingToRaster}. */
export interface DrawingRasterOptions {
  /** Pixels of the picture for one of the drawing. @defaultValue 2 */
  readonly scale?: number;
}

/** Scan lines of a pixel when areas are filled. */
const subLines = 4;

/**
 * A drawing as RGB pixels with smooth edges, ready for `encodePng`. Text is drawn in strokes: small letters, capitals
 * as small ones, digits and the commonest marks.
 *
 * @example
 * ```ts
 * const dot: Shape = { type: 'dots', points: [[8, 8]], radius: 3, color: '#1f6feb' };
 * const image = drawingToRaster({ width: 16, height: 16, shapes: [dot] }); // { width: 32, height: 32, channels: 3 }
 * const png = encodePng(image);
 * ```
 */
export function drawingToRaster(drawing: Drawing, options: DrawingRasterOptions = {}): RasterImage {
  const { scale = 2 } = options;
  const canvas = new Canvas(Math.round(drawing.width * scale), Math.round(drawing.height * scale), scale);
  for (const shape of drawing.shapes) canvas.draw(shape);
  return canvas.image();
}

/** No pixel. */
const nothing: [number, number, number, number] = [
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
];

class Canvas {
  readonly #width: number;
  readonly #height: number;
  readonly #scale: number;
  readonly #pixels: Float32Array;
  /** How much of each pixel the shape at hand covers. */
  readonly #coverage: Float32Array;
  /** The pixels that the shape at hand may cover: first and last column, first and last row. */
  #touched: [left: number, right: number, top: number, bottom: number];

  constructor(width: number, height: number, scale: number) {
    this.#width = width;
    this.#height = height;
    this.#scale = scale;
    this.#pixels = new Float32Array(width * height * 3).fill(255);
    this.#coverage = new Float32Array(width * height);
    this.#touched = nothing;
  }

  image(): RasterImage {
    const data = Uint8Array.from(this.#pixels, (value) => Math.round(value));
    return { width: this.#width, height: this.#height, channels: 3, data };
  }

  draw(shape: Shape): void {
    if (shape.type === 'line') this.#stroke(shape.points, shape.width);
    else if (shape.type === 'area') this.#fill(shape.loops);
    else if (shape.type === 'text') {
      for (const stroke of textStrokes(shape)) this.#stroke(stroke, Math.max(1, shape.size / 11));
    } else {
      // Each dot is ink of its own: where they lie on one another it is darker.
      for (const point of shape.points) {
        this.#stroke([point, point], 2 * shape.radius);
        this.#blend(shape);
      }
      return;
    }
    this.#blend(shape);
  }

  /** Pixels within half a width of the line. */
  #stroke(points: readonly PlotPoint[], width: number): void {
    const scale = this.#scale;
    const reach = (width * scale) / 2;
    for (let i = 1; i < points.length; i++) {
      // Centres of pixels lie half a pixel off.
      const [ax, ay, bx, by] = [...points[i - 1]!, ...points[i]!].map((value) => value * scale - 0.5) as [
        number,
        number,
        number,
        number,
      ];
      const [dx, dy] = [bx - ax, by - ay];
      const length = dx * dx + dy * dy || 1;
      const top = Math.max(0, Math.floor(Math.min(ay, by) - reach - 1));
      const bottom = Math.min(this.#height - 1, Math.ceil(Math.max(ay, by) + reach + 1));
      const left = Math.max(0, Math.floor(Math.min(ax, bx) - reach - 1));
      const right = Math.min(this.#width - 1, Math.ceil(Math.max(ax, bx) + reach + 1));
      this.#touch(left, right, top, bottom);
      for (let y = top; y <= bottom; y++) {
        for (let x = left; x <= right; x++) {
          const part = Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / length));
          const [offX, offY] = [x - ax - part * dx, y - ay - part * dy];
          const covered = reach + 0.5 - Math.sqrt(offX * offX + offY * offY);
          const at = y * this.#width + x;
          if (covered > this.#coverage[at]!) this.#coverage[at] = Math.min(1, covered);
        }
      }
    }
  }

  /** Pixels inside an odd number of loops. */
  #fill(loops: readonly (readonly PlotPoint[])[]): void {
    const scale = this.#scale;
    const crossings: number[][] = Array.from({ length: this.#height * subLines }, () => []);
    for (const loop of loops) {
      loop.forEach((from, i) => {
        const to = loop[(i + 1) % loop.length]!;
        const [ax, bx] = [from[0] * scale, to[0] * scale];
        const [ay, by] = [from[1] * scale * subLines, to[1] * scale * subLines];
        const [first, last] = [Math.min(ay, by), Math.max(ay, by)];
        for (let line = Math.max(0, Math.ceil(first - 0.5)); line < last - 0.5 && line < crossings.length; line++) {
          crossings[line]!.push(ax + ((line + 0.5 - ay) / (by - ay)) * (bx - ax));
        }
      });
    }
    crossings.forEach((line, index) => {
      line.sort((a, b) => a - b);
      const row = Math.floor(index / subLines) * this.#width;
      for (let i = 0; i + 1 < line.length; i += 2) {
        const [from, to] = [Math.max(0, line[i]!), Math.min(this.#width, line[i + 1]!)];
        this.#touch(Math.floor(from), Math.ceil(to) - 1, index / subLines, index / subLines);
        for (let x = Math.floor(from); x < to; x++) {
          this.#coverage[row + x]! += (Math.min(x + 1, to) - Math.max(x, from)) / subLines;
        }
      }
    });
  }

  #touch(left: number, right: number, top: number, bottom: number): void {
    const [l, r, t, b] = this.#touched;
    this.#touched = [
      Math.min(l, left),
      Math.max(r, right),
      Math.min(t, Math.floor(top)),
      Math.max(b, Math.floor(bottom)),
    ];
  }

  /** Lays the shape's colour over what it covers, and forgets what that is. */
  #blend({ color, opacity = 1 }: Shape): void {
    const ink = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16)) as [number, number, number];
    const [left, right, top, bottom] = this.#touched;
    this.#touched = nothing;
    for (let y = top; y <= bottom; y++) {
      for (let x = left; x <= right; x++) {
        const at = y * this.#width + x;
        const share = Math.min(1, this.#coverage[at]!) * opacity;
        if (share === 0) continue;
        this.#coverage[at] = 0;
        for (let c = 0; c < 3; c++) this.#pixels[3 * at + c]! += (ink[c]! - this.#pixels[3 * at + c]!) * share;
      }
    }
  }
}
