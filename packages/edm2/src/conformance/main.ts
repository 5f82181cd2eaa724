import { setBackend, setDevelopmentMode } from '@evenkeel/tensor';
import { Command, InvalidArgumentError, Option } from 'commander';
import colors from 'picocolors';
import { type BackendChoice, backendOption, openBackend } from '../cli/backend.ts';
import { ProgressLine } from '../cli/progress-line.ts';
import { failureLines, tableLines, totals } from './report.ts';
import { runConformance } from './run.ts';

function kindList(value: string): string[] {
  const kinds = value.split(',').map((kind) => kind.trim());
  if (kinds.some((kind) => kind === ''))
    throw new InvalidArgumentError('Give names with commas between, as block,train.');
  return kinds;
}

interface Options extends BackendChoice {
  readonly dtype: 'float32' | 'float64';
  readonly kinds?: readonly string[];
}

async function run(folder: string, { dtype, kinds, ...choice }: Options): Promise<void> {
  // Networks are made and dropped case by case; their shapes differ, which is no recompile storm.
  setDevelopmentMode(false);
  const { backend, description } = await openBackend(choice);
  setBackend(backend);
  const line = new ProgressLine();
  line.print(`backend ${description}`);
  let done = 0;
  const results = await runConformance(folder, {
    dtype,
    ...(kinds === undefined ? {} : { kinds }),
    onCase(result) {
      for (const failure of failureLines(result)) line.print(colors.red(failure));
      done++;
      line.update(() => `${done} cases done, last ${result.id}`);
    },
  });
  for (const row of tableLines(results)) line.print(row);
  const { passed, failed } = totals(results);
  line.print(`${passed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
  await backend.dispose();
}

const program = new Command('conformance')
  .description('Compares this implementation with a folder of reference values (manifest.json and safetensors files).')
  .argument('<folder>', 'the folder')
  .addOption(backendOption())
  .addOption(
    new Option('--dtype <dtype>', 'what networks compute in').choices(['float32', 'float64']).default('float32'),
  )
  .option('--kinds <list>', 'run these kinds of cases only, as block,train', kindList)
  .configureOutput({
    outputError: (text, write) =>
      write(`${text.trim().replaceAll('\n', ' ').replace(/\.?$/, '.')} --help lists the options\n`),
  })
  .action(run);

try {
  await program.parseAsync();
} catch (error) {
  console.error(colors.red(`conformance: ${error instanceof Error ? error.message : String(error)}`));
  process.exitCode = 1;
}
