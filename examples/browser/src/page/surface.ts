/** Colours of the theme, as canvases take them. */
export interface Colors {
  readonly ink: string;
  readonly soft: string;
  readonly line: string;
  readonly accent: string;
  readonly warm: string;
}

const names = ['ink', 'soft', 'line', 'accent', 'warm'] as const;

let known: Colors | undefined;

/** The colours of now. */
export function themeColors(): Colors {
  if (known) return known;
  // A custom property is text as it was written; a colour that an element has is computed.
  const probe = document.createElement('i');
  document.body.append(probe);
  const colors = names.map((name) => {
    probe.style.color = `var(--${name})`;
    return [name, getComputedStyle(probe).color] as const;
  });
  probe.remove();
  known = Object.fromEntries(colors) as unknown as Colors;
  return known;
}

const surfaces = new Set<Surface>();

/** Has everything drawn anew in the colours of another theme. */
export function redrawAll(): void {
  known = undefined;
  for (const surface of surfaces) surface.ask();
}

/** A canvas that is drawn at most once a frame, as sharp as the screen is, and anew when its size or the theme changes. */
export class Surface {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #draw: (context: CanvasRenderingContext2D, width: number, height: number) => void;
  #frame: number | undefined;

  constructor(
    canvas: HTMLCanvasElement,
    draw: (context: CanvasRenderingContext2D, width: number, height: number) => void,
  ) {
    this.#canvas = canvas;
    this.#context = canvas.getContext('2d') as CanvasRenderingContext2D;
    this.#draw = draw;
    surfaces.add(this);
    new ResizeObserver(() => this.ask()).observe(canvas);
  }

  /** Draws in the next frame. */
  ask(): void {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      this.#paint();
    });
  }

  #paint(): void {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    if (width === 0 || height === 0) return; // not to be seen
    const scale = devicePixelRatio;
    const [across, down] = [Math.round(width * scale), Math.round(height * scale)];
    if (this.#canvas.width !== across || this.#canvas.height !== down) {
      this.#canvas.width = across;
      this.#canvas.height = down;
    }
    this.#context.setTransform(scale, 0, 0, scale, 0, 0);
    this.#context.clearRect(0, 0, width, height);
    this.#draw(this.#context, width, height);
  }
}
