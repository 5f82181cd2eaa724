import { kindOf } from '../gpu/adapter.ts';
import type { Result, ResultFile } from '../results.ts';
import { type GpuGoal, gpuGoals, isGpuGoalReached } from './gpu-goals.ts';
import { cell, implementationTable, machineLine, order } from './machine-text.ts';
import { show } from './ratio.ts';

/** The figures of all devices, cards before what is in software. */
export function gpuSection(files: readonly ResultFile[]): string {
  return [...files]
    .map((file) => ({ file, device: deviceOf(file) }))
    .sort((a, b) => Number(isSoftware(a.device)) - Number(isSoftware(b.device)) || a.device.localeCompare(b.device))
    .map(({ file, device }) => deviceText(file, device))
    .join('\n\n');
}

function isSoftware(device: string): boolean {
  return kindOf(device) === 'software';
}

/** As our own process calls it. */
function deviceOf({ results }: ResultFile): string {
  const named = results.filter(({ device }) => device !== undefined);
  const own = named.find(({ implementation }) => implementation === 'evenkeel-webgpu') ?? named[0];
  return own?.device ?? 'unknown device';
}

function deviceText({ machine, results, commands }: ResultFile, device: string): string {
  const parts = [
    `### ${device}`,
    isSoftware(device)
      ? 'A processor plays this device: its figures show that results are right and what a launch costs, not what a card does.'
      : '',
    machineLine(machine),
    implementationTable(machine),
    ['Made by:', '', '```sh', ...commands, '```'].join('\n'),
    isSoftware(device) ? '' : goalTable(results),
    figureTable(results),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

function goalTable(results: readonly Result[]): string {
  const lines = gpuGoals.map((goal) => {
    const wall = goal.measure(results, ({ median }) => median);
    const clock = goal.measure(results, ({ byDevice }) => byDevice);
    const wanted =
      goal.wanted === undefined ? '' : `${goal.unit === 'µs' ? 'at most ' : ''}${showGoal(goal, goal.wanted)}`;
    return `| ${goal.what} | ${wanted} | ${goalCell(goal, wall)} | ${goal.unit === 'µs' ? '' : goalCell(goal, clock)} |`;
  });
  return ["| evenkeel-webgpu | wanted | by the wall clock | by the device's |", '|---|---|---|---|', ...lines].join(
    '\n',
  );
}

function goalCell(goal: GpuGoal, value: number | undefined): string {
  if (value === undefined) return '–';
  const isReached = isGpuGoalReached(goal, value);
  return `${isReached === undefined ? '' : isReached ? '✓ ' : '✗ '}${showGoal(goal, value)}`;
}

function showGoal({ unit }: GpuGoal, value: number): string {
  return unit === 'share' ? value.toFixed(2) : `${show(value)} ${unit}`;
}

/** A row a work, a column an implementation, ratios to our WebGPU plug-in in brackets. */
function figureTable(results: readonly Result[]): string {
  const columns = [...new Set(results.map(({ implementation }) => implementation))].sort((a, b) => order(a) - order(b));
  const rows = [...new Set(results.map(({ work }) => work))].map((work) => {
    const group = results.filter((one) => one.work === work);
    const own = group.find(({ implementation }) => implementation === 'evenkeel-webgpu');
    const cells = columns.map((name) => {
      const one = group.find(({ implementation }) => implementation === name);
      return one === undefined ? '' : cell(one, own);
    });
    const note = own?.unit === 'µs' && own.note !== undefined ? ` (${own.note})` : '';
    const clock = own?.byDevice === undefined ? '' : show(own.byDevice);
    return `| ${work}, ${group[0]?.unit}${note} | ${clock} | ${cells.join(' | ')} |`;
  });
  return [
    `| | evenkeel-webgpu by the device's clock | ${columns.join(' | ')} |`,
    `|---|---|${columns.map(() => '---|').join('')}`,
    ...rows,
  ].join('\n');
}
