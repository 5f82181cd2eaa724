import type { PlotPoint, TextShape } from './drawing.ts';

/**
 * Letters in strokes, a font of our own for pictures that are made where there is none. A stroke is a list of points, x
 * then y, on a grid: base line 2, small letters to 6, ascenders to 9, descenders to 0. Corners of a stroke are rounded;
 * sharp ones are where strokes meet. A stroke of no length is a dot.
 */
const strokes: Readonly<Record<string, string>> = {
  a: '46-42 45-36-16-05-03-12-32-43',
  b: '09-02 05-16-36-45-43-32-12-03',
  c: '45-36-16-05-03-12-32-43',
  d: '49-42 45-36-16-05-03-12-32-43',
  e: '04-44 44-45-36-16-05-03-12-32-43',
  f: '39-29-18-12 06-36',
  g: '46-41-30-10-01 45-36-16-05-03-12-32-43',
  h: '09-02 05-16-36-45-42',
  i: '06-02 08-08',
  j: '16-11-00 18-18',
  k: '09-02 36-04 15-32',
  l: '09-02',
  m: '06-02 05-16-26-35-32 35-46-56-65-62',
  n: '06-02 05-16-36-45-42',
  o: '26-36-45-43-32-12-03-05-16-26',
  p: '06-00 05-16-36-45-43-32-12-03',
  q: '46-40 45-36-16-05-03-12-32-43',
  r: '06-02 05-16-26',
  s: '45-36-16-05-14-34-43-32-12-03',
  t: '18-13-22-32 06-36',
  u: '06-03-12-32-43 46-42',
  v: '06-22 22-46',
  w: '06-12 12-36 36-52 52-66',
  x: '06-42 02-46',
  y: '06-22 46-10',
  z: '06-46 46-02 02-42',
  0: '29-39-48-43-32-12-03-08-19-29',
  1: '07-29 29-22',
  2: '08-19-39-48-47-02 02-42',
  3: '08-19-39-48-47-36-16 16-36-45-43-32-12-03',
  4: '39-04 04-44 39-32',
  5: '49-09 09-06 06-36-45-43-32-12-03',
  6: '48-39-19-08-03-12-32-43-45-36-16-05',
  7: '09-49 49-12',
  8: '26-36-47-48-39-19-08-07-16-26 26-36-45-43-32-12-03-05-16-26',
  9: '03-12-32-43-48-39-19-08-06-15-35-46',
  '-': '04-34',
  '.': '02-02',
  ',': '12-00',
  ':': '02-02 05-05',
  '(': '19-07-03-11',
  ')': '09-17-13-01',
  '=': '03-43 05-45',
  '+': '04-44 26-22',
  '/': '01-39',
  ' ': '22-22',
};

/** Grid steps between the base line and the top of an ascender, of a size of 10. */
const unit = 0.103;
const gap = 1.7;

/** The strokes of a line of text, in pixels. What the font lacks is drawn as a hyphen. */
export function textStrokes({ at, text, size, anchor = 'start' }: TextShape): PlotPoint[][] {
  const glyphs = [...text.toLowerCase()].map((letter) => ({ isBlank: letter === ' ', ...glyph(letter) }));
  const width = glyphs.reduce((sum, each) => sum + each.width + gap, -gap) * size * unit;
  let x = at[0] - { start: 0, middle: width / 2, end: width }[anchor];
  return glyphs.flatMap(({ isBlank, lines, width }) => {
    const placed = lines.map((line) =>
      line.map(([px, py]): PlotPoint => [x + px * size * unit, at[1] - (py - 2) * size * unit]),
    );
    x += (width + gap) * size * unit;
    return isBlank ? [] : placed;
  });
}

function glyph(letter: string): { lines: PlotPoint[][]; width: number } {
  const lines = (strokes[letter] ?? (strokes['-'] as string))
    .split(' ')
    .map((stroke) => stroke.split('-').map((point): PlotPoint => [Number(point[0]), Number(point[1])]));
  return { lines: lines.map((line) => rounded(rounded(line))), width: Math.max(...lines.flat().map(([x]) => x)) };
}

/** Cuts the corners (Chaikin's algorithm), once. */
function rounded(line: PlotPoint[]): PlotPoint[] {
  if (line.length < 3) return line;
  const cut = line.slice(1).flatMap((to, i): PlotPoint[] => {
    const from = line[i]!;
    const between = (part: number): PlotPoint => [
      from[0] + (to[0] - from[0]) * part,
      from[1] + (to[1] - from[1]) * part,
    ];
    return [between(0.25), between(0.75)];
  });
  return [line[0]!, ...cut, line.at(-1)!];
}
