import { geometricMean } from '../measure/statistics.ts';
import type { Result } from '../results.ts';
import { ratioOf } from './ratio.ts';

interface Group {
  readonly label: string;
  readonly works: RegExp;
  readonly threads: number;
}

const groups: readonly Group[] = [
  { label: 'sgemm 512 to 2048', works: /^sgemm-(512|1024|2048)$/, threads: 1 },
  { label: 'conv 3x3 forward', works: /^conv3x3-.*-forward$/, threads: 1 },
  { label: 'conv 3x3 input gradient', works: /^conv3x3-.*-input-gradient$/, threads: 1 },
  { label: 'conv 3x3 weight gradient', works: /^conv3x3-.*-weight-gradient$/, threads: 1 },
  { label: 'conv 1x1, all roles', works: /^conv1x1-/, threads: 1 },
  { label: 'attention', works: /^attention-/, threads: 1 },
  { label: 'work of memory', works: /^(mp-silu|pixel-norm|weight-norm|softmax|add|sum)$/, threads: 1 },
  { label: 'EDM2 blocks', works: /^edm2-.*-block-/, threads: 1 },
  { label: 'EDM2 training step, 2 threads', works: /^edm2-train-step$/, threads: 2 },
  { label: 'EDM2 sampling, 2 threads', works: /^edm2-sampling$/, threads: 2 },
];

/** What all others are compared with. */
const unit = 'pytorch';
const colors = [
  '#1f6feb',
  '#0a3069',
  '#8250df',
  '#bc4c00',
  '#d1242f',
  '#1a7f37',
  '#6e7781',
  '#9a6700',
  '#bf3989',
  '#57606a',
];
const [left, barHeight, gap, width] = [210, 13, 14, 900];
const plot = { from: left, to: width - 70 };
const [least, most] = [0.001, 10];

/**
 * Bars of speed relative to PyTorch's, on a logarithmic scale: for each group of works the geometric mean over those that both
 * have done.
 */
export function speedChart(results: readonly Result[], title: string): string {
  const names = [...new Set(results.map(({ implementation }) => implementation))].filter(
    (name) => name !== unit && name !== 'memcpy' && name !== 'pytorch-avx2',
  );
  const drawn = groups.flatMap((group) => {
    const bars = names.flatMap((name) => {
      const speed = relativeSpeed(results, group, name);
      return speed === undefined ? [] : [{ name, speed }];
    });
    return bars.length === 0 ? [] : [{ group, bars }];
  });
  const parts: string[] = [];
  let y = 64 + 18 * Math.ceil(names.length / 5);
  const top = y;
  for (const { group, bars } of drawn) {
    const middle = y + (bars.length * barHeight) / 2;
    parts.push(`<text x="${left - 10}" y="${middle + 4}" text-anchor="end">${group.label}</text>`);
    for (const { name, speed } of bars) {
      const [from, to] = [Math.min(at(speed), at(1)), Math.max(at(speed), at(1))];
      const color = colors[names.indexOf(name) % colors.length];
      parts.push(
        `<rect x="${from}" y="${y + 1}" width="${Math.max(1, to - from)}" height="${barHeight - 2}" fill="${color}"/>`,
      );
      const [x, anchor] = speed < 1 ? [from - 4, 'end'] : [to + 4, 'start'];
      parts.push(
        `<text x="${x}" y="${y + barHeight - 3}" text-anchor="${anchor}" font-size="10" fill="#444">${short(speed)}</text>`,
      );
      y += barHeight;
    }
    y += gap;
  }
  const grid = [0.001, 0.01, 0.1, 0.5, 1, 2, 4].flatMap((tick) => [
    `<line x1="${at(tick)}" x2="${at(tick)}" y1="${top - 8}" y2="${y}" stroke="${tick === 1 ? '#24292f' : '#ddd'}"/>`,
    `<text x="${at(tick)}" y="${y + 16}" text-anchor="middle">${tick}</text>`,
  ]);
  const legend = names.flatMap((name, i) => {
    const [x, row] = [left + (i % 5) * 135, 52 + 18 * Math.floor(i / 5)];
    return [
      `<rect x="${x}" y="${row - 9}" width="10" height="10" fill="${colors[i % colors.length]}"/>`,
      `<text x="${x + 14}" y="${row}">${name}</text>`,
    ];
  });
  const height = y + 44;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    `<text x="${width / 2}" y="24" text-anchor="middle" font-size="15">${title}</text>`,
    ...grid,
    ...legend,
    ...parts,
    `<text x="${(plot.from + plot.to) / 2}" y="${y + 34}" text-anchor="middle">speed relative to PyTorch, logarithmic: right of 1 is faster</text>`,
    '</svg>\n',
  ].join('\n');
}

function relativeSpeed(results: readonly Result[], { works, threads }: Group, name: string): number | undefined {
  const of = (implementation: string, work: string) =>
    results.find((one) => one.work === work && one.implementation === implementation && one.threads === threads);
  const ratios = [...new Set(results.map(({ work }) => work))]
    .filter((work) => works.test(work))
    .flatMap((work) => {
      const [one, other] = [of(name, work), of(unit, work)];
      return one === undefined || other === undefined ? [] : [ratioOf(one, other)];
    });
  return ratios.length === 0 ? undefined : geometricMean(ratios);
}

function at(speed: number): number {
  const place = Math.log(Math.min(most, Math.max(least, speed)) / least) / Math.log(most / least);
  return Math.round(plot.from + place * (plot.to - plot.from));
}

function short(speed: number): string {
  return speed >= 0.1 ? speed.toFixed(2) : String(Number(speed.toPrecision(1)));
}
