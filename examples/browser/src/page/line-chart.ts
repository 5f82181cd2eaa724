import { type Colors, Surface, themeColors } from './surface.ts';

/** A line of a chart: values over steps, as many as there are. */
export interface Line {
  readonly steps: readonly number[];
  readonly values: readonly number[];
  readonly color: keyof Colors;
  readonly width?: number;
  readonly opacity?: number;
}

export interface ChartScale {
  /** Whether equal factors take equal heights. */
  readonly logarithmic: boolean;
  /** What is always in view. */
  readonly within?: readonly [number, number];
  /** Where a dashed line stands. */
  readonly mark?: number;
}

const [left, right, top, bottom] = [40, 6, 6, 18] as const;

/** Lines over steps, that grow. */
export class LineChart {
  readonly #surface: Surface;
  #lines: readonly Line[] = [];
  #scale: ChartScale = { logarithmic: false };

  constructor(canvas: HTMLCanvasElement) {
    this.#surface = new Surface(canvas, (context, width, height) => this.#draw(context, width, height));
  }

  show(lines: readonly Line[], scale: ChartScale): void {
    this.#lines = lines;
    this.#scale = scale;
    this.#surface.ask();
  }

  #draw(context: CanvasRenderingContext2D, width: number, height: number): void {
    const { logarithmic, mark } = this.#scale;
    const colors = themeColors();
    const [low, high] = this.#range();
    const last = Math.max(1, ...this.#lines.map(({ steps }) => steps.at(-1) ?? 0));
    const x = (step: number) => left + (step / last) * (width - left - right);
    const place = logarithmic ? Math.log : (value: number) => value;
    const y = (value: number) => {
      const part = (place(value) - place(low)) / (place(high) - place(low));
      return height - bottom - part * (height - top - bottom);
    };

    context.font = '11px system-ui, sans-serif';
    context.lineJoin = 'round';
    context.fillStyle = colors.soft;
    context.strokeStyle = colors.line;
    context.lineWidth = 1;
    context.textAlign = 'right';
    context.textBaseline = 'middle';
    for (const tick of ticksOf(low, high, logarithmic)) {
      context.beginPath();
      context.moveTo(left, Math.round(y(tick)) + 0.5);
      context.lineTo(width - right, Math.round(y(tick)) + 0.5);
      context.stroke();
      context.fillText(showTick(tick), left - 6, y(tick));
    }
    context.textBaseline = 'bottom';
    context.fillText(last.toLocaleString('en'), width - right, height);
    context.textAlign = 'left';
    context.fillText('0', left, height);
    if (mark !== undefined) {
      context.setLineDash([4, 4]);
      context.strokeStyle = colors.soft;
      context.beginPath();
      context.moveTo(left, y(mark));
      context.lineTo(width - right, y(mark));
      context.stroke();
      context.setLineDash([]);
    }
    for (const { steps, values, color, width: lineWidth = 1.5, opacity = 1 } of this.#lines) {
      context.strokeStyle = colors[color];
      context.lineWidth = lineWidth;
      context.globalAlpha = opacity;
      context.beginPath();
      for (const [step, value] of thinned(steps, values, width)) context.lineTo(x(step), y(value));
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  #range(): [number, number] {
    const { within, logarithmic } = this.#scale;
    let [low, high] = within ?? [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const { values } of this.#lines) {
      for (const value of values) {
        if (!Number.isFinite(value) || (logarithmic && value <= 0)) continue;
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }
    if (!(low <= high)) return logarithmic ? [0.1, 1] : [0, 1];
    if (logarithmic) return [low / 1.1, high * 1.1];
    const margin = 0.05 * (high - low) || 0.5;
    return [low - margin, high + margin];
  }
}

/** At most two points a pixel: means of neighbours. */
function* thinned(
  steps: readonly number[],
  values: readonly number[],
  width: number,
): Generator<[step: number, value: number]> {
  const group = Math.max(1, Math.ceil(values.length / (2 * width)));
  for (let at = 0; at < values.length; at += group) {
    const end = Math.min(at + group, values.length);
    let sum = 0;
    for (let i = at; i < end; i++) sum += values[i] as number;
    yield [steps[end - 1] as number, sum / (end - at)];
  }
}

/** Two to six round numbers. */
function ticksOf(low: number, high: number, logarithmic: boolean): number[] {
  if (logarithmic) {
    const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
    const decades = Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
    const all = high / low < 30 ? decades.flatMap((decade) => [decade, 2 * decade, 5 * decade]) : decades;
    return all.filter((tick) => tick >= low && tick <= high);
  }
  const rough = (high - low) / 4;
  const decade = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * decade).find((size) => size >= rough) as number;
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step);
}

function showTick(value: number): string {
  return String(Number(value.toPrecision(3)));
}
