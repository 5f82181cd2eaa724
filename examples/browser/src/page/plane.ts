import type { Density } from '../protocol/train.ts';
import { Surface, themeColors } from './surface.ts';

/** Logarithms of the density at which its colour begins and is full. */
const [faint, full] = [-3, 1.4] as const;
const radius = 1.5;

/** Points over the density that they are to follow. */
export class Plane {
  readonly #surface: Surface;
  #density: Density | undefined;
  #points: Float32Array = new Float32Array();
  /** The density as a picture, and the colour that it is in. */
  #shade: { readonly color: string; readonly density: Density; readonly image: HTMLCanvasElement } | undefined;

  constructor(canvas: HTMLCanvasElement) {
    this.#surface = new Surface(canvas, (context, width, height) => this.#draw(context, width, height));
  }

  setDensity(density: Density): void {
    this.#density = density;
    this.#surface.ask();
  }

  setPoints(points: Float32Array): void {
    this.#points = points;
    this.#surface.ask();
  }

  #draw(context: CanvasRenderingContext2D, width: number, height: number): void {
    const density = this.#density;
    if (density === undefined) return;
    const { warm, accent } = themeColors();
    if (this.#shade?.color !== warm || this.#shade.density !== density) {
      this.#shade = { color: warm, density, image: shadeOf(density, warm) };
    }
    context.imageSmoothingQuality = 'high';
    context.drawImage(this.#shade.image, 0, 0, width, height);
    const { left, bottom, side } = density.view;
    const scale = width / side;
    context.fillStyle = accent;
    context.globalAlpha = 0.75;
    for (let at = 0; at < this.#points.length; at += 2) {
      const x = ((this.#points[at] as number) - left) * scale;
      const y = height - ((this.#points[at + 1] as number) - bottom) * scale;
      context.fillRect(x - radius, y - radius, 2 * radius, 2 * radius);
    }
    context.globalAlpha = 1;
  }
}

function shadeOf({ columns, rows, values }: Density, color: string): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext('2d') as CanvasRenderingContext2D;
  context.fillStyle = color;
  context.fillRect(0, 0, columns, rows);
  const image = context.getImageData(0, 0, columns, rows);
  for (const [i, value] of values.entries()) {
    const part = Math.min(1, Math.max(0, (value - faint) / (full - faint)));
    image.data[4 * i + 3] = 170 * part;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
