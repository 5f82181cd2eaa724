/** A point, in pixels from the top left. */
export type PlotPoint = readonly [x: number, y: number];

/** How much of the ground shows through is 1 - opacity. @defaultValue 1 */
interface Inked {
  readonly color: string;
  readonly opacity?: number;
}

/** A line through points. */
export interface LineShape extends Inked {
  readonly type: 'line';
  readonly points: readonly PlotPoint[];
  readonly width: number;
}

/** Closed loops, filled; a loop inside another is a hole. */
export interface AreaShape extends Inked {
  readonly type: 'area';
  readonly loops: readonly (readonly PlotPoint[])[];
}

/** Round dots of one size. */
export interface DotsShape extends Inked {
  readonly type: 'dots';
  readonly points: readonly PlotPoint[];
  readonly radius: number;
}

/** A line of text; `at` is on its base line. */
export interface TextShape extends Inked {
  readonly type: 'text';
  readonly at: PlotPoint;
  readonly text: string;
  readonly size: number;
  readonly anchor?: 'start' | 'middle' | 'end';
}

/** One thing that a drawing shows. Colours are written `#rrggbb`. */
export type Shape = LineShape | AreaShape | DotsShape | TextShape;

/** A picture of shapes on white, the later ones above the earlier. `drawingToSvg` and `drawingToRaster` print it. */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly shapes: readonly Shape[];
}

/**
 * A drawing as an SVG document.
 *
 * @example
 * ```ts
 * const dot: Shape = { type: 'dots', points: [[8, 8]], radius: 3, color: '#1f6feb' };
 * drawingToSvg({ width: 16, height: 16, shapes: [dot] }).slice(0, 4); // '<svg'
 * ```
 */
export function drawingToSvg({ width, height, shapes }: Drawing): string {
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    ...shapes.map(element),
    '</svg>\n',
  ].join('\n');
}

function element(shape: Shape): string {
  const { color, opacity = 1 } = shape;
  const pale = opacity === 1 ? '' : ` opacity="${opacity}"`;
  if (shape.type === 'line') {
    return `<polyline points="${shape.points.map(pair).join(' ')}" fill="none" stroke="${color}" stroke-width="${shape.width}" stroke-linejoin="round"${pale}/>`;
  }
  if (shape.type === 'area') {
    const path = shape.loops.map((loop) => `M${loop.map(pair).join('L')}Z`).join('');
    return `<path d="${path}" fill="${color}" fill-rule="evenodd"${pale}/>`;
  }
  if (shape.type === 'dots') {
    // Lines of no length with round ends: a third of the text that circles would be.
    const path = shape.points.map((point) => `M${pair(point)}h0`).join('');
    return `<path d="${path}" stroke="${color}" stroke-width="${2 * shape.radius}" stroke-linecap="round"${pale}/>`;
  }
  const [x, y] = shape.at;
  return `<text x="${x}" y="${y}" font-size="${shape.size}" text-anchor="${shape.anchor ?? 'start'}" fill="${color}"${pale}>${escapeXml(shape.text)}</text>`;
}

function pair([x, y]: PlotPoint): string {
  return `${round(x)},${round(y)}`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** Text as it stands in a document. */
export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
