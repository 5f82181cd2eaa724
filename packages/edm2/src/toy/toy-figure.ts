import { tensor } from '@evenkeel/tensor';
import { contourLoops } from '../plot/contour.ts';
import type { Drawing, PlotPoint, Shape } from '../plot/drawing.ts';
import type { GaussianMixture } from './gaussian-mixture.ts';

/** One panel of {@link toyFigure}. */
export interface ToyPanel {
  readonly title: string;
  /** x and y of each point in turn. */
  readonly points: ArrayLike<number>;
  /** Of the points. @defaultValue blue */
  readonly color?: string;
}

/** Options of {@link toyFigure}. */
export interface ToyFigureOptions {
  /** What the points are to be like: its density is drawn behind them. */
  readonly data: GaussianMixture;
  /** Drawn paler behind it, such as the other class. */
  readonly other?: GaussianMixture;
  /** Panels in a row. @defaultValue all of them */
  readonly columns?: number;
  /** Pixels of a panel's side. @defaultValue 360 */
  readonly size?: number;
  /** The square that is shown. @defaultValue the corner of the plane that class A lies in */
  readonly view?: ToyView;
}

/** A square of the plane. */
export interface ToyView {
  readonly left: number;
  readonly bottom: number;
  readonly side: number;
}

const classAView: ToyView = { left: -0.7, bottom: -0.68, side: 2.2 };
/** Points of a panel's side at which the density is computed. */
const gridSize = 240;
/** The density is drawn as seen through noise of this level, or the thinnest twigs would fall between the grid's points. */
const smoothing = 0.012;
/** Levels of log density that are drawn, from the edge inwards. */
const levels = [-2.2, -0.5, 0.7] as const;
const titleHeight = 34;
const gutter = 10;

/**
 * Points beside the density that they are drawn from, in panels with a title each.
 *
 * @throws when there is no panel.
 *
 * @example
 * ```ts
 * const data = fractalTree('A');
 * const points = await data.sample(500, new Generator(1)).data();
 * const figure = await toyFigure([{ title: 'data', points }], { data }); // { width: 380, height: 404 }
 * const svg = drawingToSvg(figure);
 * ```
 */
export async function toyFigure(panels: readonly ToyPanel[], options: ToyFigureOptions): Promise<Drawing> {
  const { data, other, columns = panels.length, size = 360, view = classAView } = options;
  if (panels.length === 0) throw new RangeError('toyFigure: there is no panel');
  const behind = [
    ...(other === undefined ? [] : await densityShapes(other, view, size, ['#e9e9e9'])),
    ...(await densityShapes(data, view, size, ['#fbe3c8', '#f7c894', '#f0ab62'])),
  ];
  const shapes = panels.flatMap(({ title, points, color = '#1f6feb' }, i): Shape[] => {
    const left = gutter + (i % columns) * (size + gutter);
    const top = titleHeight + Math.floor(i / columns) * (size + titleHeight);
    const scale = size / view.side;
    const dots: PlotPoint[] = [];
    for (let at = 0; at < points.length; at += 2) {
      const [x, y] = [(points[at]! - view.left) * scale, size - (points[at + 1]! - view.bottom) * scale];
      if (x > 0 && y > 0 && x < size && y < size) dots.push([left + x, top + y]);
    }
    const frame: PlotPoint[] = [
      [left, top],
      [left + size, top],
      [left + size, top + size],
      [left, top + size],
      [left, top],
    ];
    return [
      ...behind.map((shape) => moved(shape, left, top)),
      { type: 'dots', points: dots, radius: 0.9, color, opacity: 0.55 },
      { type: 'line', points: frame, width: 1, color: '#999999' },
      { type: 'text', at: [left + size / 2, top - 11], text: title, size: 16, anchor: 'middle', color: '#222222' },
    ];
  });
  return {
    width: gutter + columns * (size + gutter),
    height: Math.ceil(panels.length / columns) * (size + titleHeight) + gutter,
    shapes,
  };
}

/** The density as areas above ever higher levels. */
async function densityShapes(
  mixture: GaussianMixture,
  view: ToyView,
  size: number,
  colors: readonly string[],
): Promise<Shape[]> {
  const step = view.side / (gridSize - 1);
  const corners = Float32Array.from({ length: 2 * gridSize * gridSize }, (_, i) => {
    const [column, row] = [Math.floor(i / 2) % gridSize, Math.floor(i / 2 / gridSize)];
    return i % 2 === 0 ? view.left + column * step : view.bottom + view.side - row * step;
  });
  const values = await mixture.logDensity(tensor(corners, { shape: [gridSize * gridSize, 2] }), smoothing).data();
  const scale = size / (gridSize - 1);
  return colors.map((color, i): Shape => {
    const loops = contourLoops({ columns: gridSize, rows: gridSize, values }, levels[i] as number);
    return { type: 'area', loops: loops.map((loop) => loop.map(([x, y]): PlotPoint => [x * scale, y * scale])), color };
  });
}

function moved(shape: Shape, dx: number, dy: number): Shape {
  if (shape.type !== 'area') return shape;
  return { ...shape, loops: shape.loops.map((loop) => loop.map(([x, y]): PlotPoint => [x + dx, y + dy])) };
}
