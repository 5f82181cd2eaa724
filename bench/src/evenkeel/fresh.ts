// Measures what happens once in a process, or is about more than kernels, and prints it:
// `fresh.mjs <threads> <instructions> first-step`, or `fresh.mjs <threads> <instructions> plan <task> <file that lists inputs>`.
import { readFile } from 'node:fs/promises';
import type { InputFile, TaskOf } from '../work/task.ts';

const imported = performance.now();
const [threads = '1', instructions = 'best', what, task = '{}', inputs = ''] = process.argv.slice(2);

const { startBackend } = await import('./start-backend.ts');
const { backend, launches } = startBackend(Number(threads), instructions);
if (what === 'first-step') {
  const { firstStep } = await import('./first-step.ts');
  await firstStep();
  print({ 'edm2-first-step': performance.now() - imported });
} else {
  const { measurePlan } = await import('./plan-measures.ts');
  const files = JSON.parse(await readFile(inputs, 'utf8')) as InputFile[];
  print(await measurePlan(JSON.parse(task) as TaskOf<'train-step'>, files, launches));
}
await backend.dispose();

function print(figures: Readonly<Record<string, number>>): void {
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}
