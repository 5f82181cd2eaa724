import { escapeXml } from './drawing.ts';

/** One curve of a chart. */
export interface Series {
  /** Named in the legend; empty for none. */
  readonly label: string;
  /** Points in increasing x; points that are not finite are left out. */
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Any SVG colour; chosen from a palette unless told. */
  readonly color?: string;
  /** Drawn thin and pale, behind the others: raw values under a smoothed curve. */
  readonly faint?: boolean;
}

/** What a chart says around its curves. */
export interface ChartOptions {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** Pixels; 720 x 420 unless told. */
  readonly width?: number;
  readonly height?: number;
  /** Where the curves are named: the upper corner that they leave free. @defaultValue 'right' */
  readonly legend?: 'left' | 'right';
}

/** Colours of curves that are given none, in turn. */
export const chartColors = ['#1f6feb', '#d1242f', '#1a7f37', '#8250df', '#bc4c00'];
const margin = { top: 40, right: 24, bottom: 48, left: 64 };

/**
 * Curves as an SVG document, with axes in round numbers.
 *
 * @throws when no series has a finite point.
 * @example
 * ```ts
 * const series = [{ label: 'loss', points: [[0, 1], [1, 0.5]] as [number, number][] }];
 * lineChart(series, { title: 'Training', xLabel: 'images', yLabel: 'loss' }).slice(0, 4); // '<svg'
 * ```
 */
export function lineChart(series: readonly Series[], options: ChartOptions): string {
  const { title, xLabel, yLabel, width = 720, height = 420, legend = 'right' } = options;
  const [legendX, anchor] = legend === 'left' ? [margin.left + 12, 'start'] : [width - margin.right, 'end'];
  const drawn = series.map((one) => ({
    ...one,
    points: one.points.filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y)),
  }));
  const all = drawn.flatMap(({ points }) => points);
  if (all.length === 0) throw new Error(`lineChart: "${title}" has no finite point to draw`);
  const x = scale(
    all.map((point) => point[0]),
    margin.left,
    width - margin.right,
  );
  const y = scale(
    all.map((point) => point[1]),
    height - margin.bottom,
    margin.top,
  );
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    `<text x="${width / 2}" y="22" text-anchor="middle" font-size="15">${escapeXml(title)}</text>`,
    ...x.ticks.map(
      (tick) =>
        `<line x1="${x.at(tick)}" y1="${margin.top}" x2="${x.at(tick)}" y2="${height - margin.bottom}" stroke="#eee"/><text x="${x.at(tick)}" y="${height - margin.bottom + 16}" text-anchor="middle">${show(tick)}</text>`,
    ),
    ...y.ticks.map(
      (tick) =>
        `<line x1="${margin.left}" y1="${y.at(tick)}" x2="${width - margin.right}" y2="${y.at(tick)}" stroke="#eee"/><text x="${margin.left - 8}" y="${y.at(tick) + 4}" text-anchor="end">${show(tick)}</text>`,
    ),
    `<text x="${(margin.left + width - margin.right) / 2}" y="${height - 10}" text-anchor="middle">${escapeXml(xLabel)}</text>`,
    `<text transform="translate(16 ${(margin.top + height - margin.bottom) / 2}) rotate(-90)" text-anchor="middle">${escapeXml(yLabel)}</text>`,
    ...drawn.map(({ points, color, faint }, i) => {
      const path = points.map(([px, py]) => `${x.at(px)},${y.at(py)}`).join(' ');
      return `<polyline points="${path}" fill="none" stroke="${color ?? chartColors[i % chartColors.length]}" stroke-width="${faint ? 1 : 2}" opacity="${faint ? 0.3 : 1}"/>`;
    }),
    ...drawn.map(
      ({ label, color }, i) =>
        `<text x="${legendX}" y="${margin.top + 14 * (i + 1)}" text-anchor="${anchor}" fill="${color ?? chartColors[i % chartColors.length]}">${escapeXml(label)}</text>`,
    ),
    '</svg>',
  ];
  return `${parts.join('\n')}\n`;
}

interface Scale {
  at(value: number): number;
  readonly ticks: readonly number[];
}

/** Maps the values' range to pixels, with about six ticks at round numbers. */
function scale(values: readonly number[], from: number, to: number): Scale {
  const min = Math.min(...values);
  const max = Math.max(...values);
  const range = max > min ? max - min : Math.abs(max) || 1;
  const low = max > min ? min : min - range / 2;
  const power = 10 ** Math.floor(Math.log10(range / 6));
  const step = power * ([1, 2, 5, 10].find((factor) => range / (power * factor) <= 7) as number);
  const ticks: number[] = [];
  for (let i = Math.ceil(low / step); i * step <= low + range; i++) ticks.push(i * step);
  return { at: (value) => Math.round((from + ((value - low) / range) * (to - from)) * 100) / 100, ticks };
}

function show(value: number): string {
  return Math.abs(value) >= 10000 ? `${Math.round(value / 100) / 10}k` : String(Number(value.toPrecision(6)));
}
