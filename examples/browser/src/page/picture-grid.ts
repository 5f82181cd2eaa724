/** Small pictures in rows, each a canvas of its own with a caption. */
export class PictureGrid {
  readonly #place: HTMLElement;
  #canvases: CanvasRenderingContext2D[] = [];
  #key = '';

  constructor(place: HTMLElement) {
    this.#place = place;
  }

  /** Makes room for as many pictures as there are captions, `resolution` pixels wide and high. */
  lay(captions: readonly string[], resolution: number): void {
    const key = `${resolution} ${captions.join()}`;
    if (key === this.#key) return;
    this.#key = key;
    this.#canvases = [];
    this.#place.style.setProperty('--columns', String(columnsFor(captions.length)));
    this.#place.style.setProperty('--narrow-columns', String(Math.min(5, columnsFor(captions.length))));
    this.#place.replaceChildren(
      ...captions.map((caption) => {
        const canvas = document.createElement('canvas');
        canvas.width = resolution;
        canvas.height = resolution;
        this.#canvases.push(canvas.getContext('2d', { willReadFrequently: true }) as CanvasRenderingContext2D);
        const figure = document.createElement('figure');
        figure.append(canvas);
        if (caption !== '') {
          const text = document.createElement('figcaption');
          text.textContent = caption;
          figure.append(text);
        }
        return figure;
      }),
    );
  }

  /** RGBA of each picture in turn. */
  draw(rgba: Uint8ClampedArray<ArrayBuffer>): void {
    const size = rgba.length / Math.max(1, this.#canvases.length);
    const side = Math.sqrt(size / 4);
    for (const [i, canvas] of this.#canvases.entries()) {
      canvas.putImageData(new ImageData(rgba.subarray(i * size, (i + 1) * size), side, side), 0, 0);
    }
  }

  /** All pictures as one, each pixel `scale` pixels wide. */
  toCanvas(scale: number): HTMLCanvasElement {
    const side = (this.#canvases[0]?.canvas.width ?? 0) * scale;
    const columns = columnsFor(this.#canvases.length);
    const sheet = document.createElement('canvas');
    sheet.width = columns * side;
    sheet.height = Math.ceil(this.#canvases.length / columns) * side;
    const context = sheet.getContext('2d') as CanvasRenderingContext2D;
    context.imageSmoothingEnabled = false;
    for (const [i, { canvas }] of this.#canvases.entries()) {
      context.drawImage(canvas, (i % columns) * side, Math.floor(i / columns) * side, side, side);
    }
    return sheet;
  }
}

function columnsFor(count: number): number {
  if (count <= 4) return 2;
  return count <= 20 ? 5 : 10;
}
