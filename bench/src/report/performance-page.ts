import type { Result, ResultFile } from '../results.ts';
import { type Goal, goals, isReached } from './goals.ts';
import { gpuSection } from './gpu-section.ts';
import { cell, implementationTable, machineLine, order } from './machine-text.ts';
import { show } from './ratio.ts';

const marks = {
  begin: '<!-- figures: written by `npm run bench -- --record` -->',
  end: '<!-- end of figures -->',
};
const gpuMarks = {
  begin: '<!-- figures of graphics cards: written by `npm run bench -- --gpu --record` -->',
  end: '<!-- end of figures of graphics cards -->',
};

/** The page with the figures of graphics cards, a file a device, written anew between their marks. */
export function withGpuFigures(page: string, files: readonly ResultFile[]): string {
  return between(page, gpuMarks, gpuSection(files));
}

function between(page: string, { begin, end }: typeof marks, text: string): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from)
    throw new Error(`performance page: has no place for figures. Put ${begin} and ${end} into it`);
  return `${page.slice(0, from + begin.length)}\n\n${text}\n\n${page.slice(to)}`;
}

/** The page with its figures written anew between its marks. */
export function withFigures(page: string, { machine, results, commands }: ResultFile): string {
  const parts = [
    `${machineLine(machine)}\n\n${implementationTable(machine)}`,
    ['Made by:', '', '```sh', ...commands, '```'].join('\n'),
    '![Speed relative to PyTorch](images/performance.svg)',
    goalTable(results, machine),
    ...sections.map((section) => sectionText(section, results)),
  ];
  return between(page, marks, parts.filter((part) => part !== '').join('\n\n'));
}

interface Section {
  readonly title: string;
  readonly works: RegExp;
}

const sections: readonly Section[] = [
  { title: 'Matrix products, GFLOP/s', works: /^sgemm-/ },
  { title: '3 x 3 convolutions, GFLOP/s of the direct sum', works: /^conv3x3-/ },
  { title: '1 x 1 convolutions, GFLOP/s', works: /^conv1x1-/ },
  { title: 'Attention, GFLOP/s', works: /^attention-/ },
  { title: 'Work of memory, GB/s', works: /^(copy|mp-silu|mp-silu-sum|pixel-norm|weight-norm|softmax|add|sum)$/ },
  { title: 'EDM2 blocks, forward and backward, ms', works: /^edm2-.*-block-/ },
  { title: 'EDM2 training steps, ms', works: /^edm2-train-step(-small)?$/ },
  { title: 'EDM2 sampling in four steps, images/s', works: /^edm2-sampling$/ },
  { title: 'Around the kernels', works: /^edm2-(first-step|plan-|host-overhead|train-step-memory)/ },
];

function goalTable(results: readonly Result[], machine: ResultFile['machine']): string {
  const ours = Object.keys(machine.implementations).filter((name) => name.startsWith('evenkeel'));
  const lines = goals.map((goal) => {
    const cells = ours.map((name) => goalCell(goal, results, name, machine.implementations[name]?.instructions));
    return `| ${goal.what} | ${goal.unit === 'ms' ? 'at most ' : ''}${showGoal(goal.unit, goal.wanted.wide)} / ${showGoal(goal.unit, goal.wanted.node20)} | ${cells.join(' | ')} |`;
  });
  return [
    '### Goals',
    '',
    'Wanted with 256-bit instructions / without. A mean counts as reached if no part of it is below 0.8 of what is wanted; the smallest part stands in brackets.',
    '',
    `| | wanted | ${ours.join(' | ')} |`,
    `|---|---|${ours.map(() => '---|').join('')}`,
    ...lines,
  ].join('\n');
}

function goalCell(
  { measure, unit, wanted }: Goal,
  results: readonly Result[],
  name: string,
  instructions?: string,
): string {
  const got = measure(results, name);
  if (got === undefined) return '–';
  const least = got.least === undefined || got.least === got.value ? '' : ` (${showGoal(unit, got.least)})`;
  const isMet = isReached(unit, instructions === 'wide' ? wanted.wide : wanted.node20, got);
  return `${isMet ? '✓' : '✗'} ${showGoal(unit, got.value)}${least}`;
}

function showGoal(unit: Goal['unit'], value: number): string {
  return unit === 'ms' ? `${show(value)} ms` : unit === 'share' ? value.toFixed(2) : `${show(value)}x`;
}

/** A table for each thread count: a row a work, a column an implementation, ratios to our own in brackets. */
function sectionText({ title, works }: Section, results: readonly Result[]): string {
  const mine = results.filter(({ work }) => works.test(work));
  if (mine.length === 0) return '';
  const tables = [...new Set(mine.map(({ threads }) => threads))]
    .sort((a, b) => a - b)
    .map((threads) => {
      const group = mine.filter((one) => one.threads === threads);
      const columns = [...new Set(group.map(({ implementation }) => implementation))].sort(
        (a, b) => order(a) - order(b),
      );
      const rows = [...new Set(group.map(({ work }) => work))].map((work) => {
        const own = group.find((one) => one.work === work && one.implementation === 'evenkeel');
        const cells = columns.map((name) => {
          const one = group.find((other) => other.work === work && other.implementation === name);
          return one === undefined ? '' : cell(one, own);
        });
        return `| ${work} | ${cells.join(' | ')} |`;
      });
      return [
        `${threads} ${threads === 1 ? 'thread' : 'threads'}:`,
        '',
        `| | ${columns.join(' | ')} |`,
        `|---|${columns.map(() => '---|').join('')}`,
        ...rows,
      ].join('\n');
    });
  return [`### ${title}`, ...tables].join('\n\n');
}
