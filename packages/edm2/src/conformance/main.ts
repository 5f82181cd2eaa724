import { wasm } from '@evenkeel/backend-wasm';
import { type Backend, createJsBackend, setBackend, setDevelopmentMode } from '@evenkeel/tensor';
import { Command, InvalidArgumentError, Option } from 'commander';
import colors from 'picocolors';
import { openGpujs } from '../cli/open-gpujs.ts';
import { openWebgpu } from '../cli/open-webgpu.ts';
import { failureLines, tableLines, totals } from './report.ts';
import { runConformance } from './run.ts';

const backends: Readonly<Record<string, () => Backend | Promise<Backend>>> = {
  js: () => createJsBackend(),
  wasm: () => wasm({ experimental: true }),
  webgpu: openWebgpu,
  gpujs: openGpujs,
};

function kindList(value: string): string[] {
  const kinds = value.split(',').map((kind) => kind.trim());
  if (kinds.some((kind) => kind === ''))
    throw new InvalidArgumentError('Give names with commas between, as block,train.');
  return kinds;
}

async function run(folder: string, options: { backend: string; dtype: 'float32' | 'float64'; kinds?: string[] }) {
  // Networks are made and dropped case by case; their shapes differ, which is no recompile storm.
  setDevelopmentMode(false);
  const backend = await (backends[options.backend] as () => Backend | Promise<Backend>)();
  setBackend(backend);
  const { dtype, kinds } = options;
  const results = await runConformance(folder, {
    dtype,
    ...(kinds === undefined ? {} : { kinds }),
    onCase(result) {
      for (const line of failureLines(result)) console.log(colors.red(line));
    },
  });
  for (const line of tableLines(results)) console.log(line);
  const { passed, failed } = totals(results);
  console.log(`${passed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
  await backend.dispose();
}

const program = new Command('conformance')
  .description('Compares this implementation with a folder of reference values (manifest.json and safetensors files).')
  .argument('<folder>', 'the folder')
  .addOption(
    new Option('--backend <name>', 'what computes').choices(Object.keys(backends)).default('wasm', 'wasm, the fastest'),
  )
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
