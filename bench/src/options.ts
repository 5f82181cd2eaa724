import { availableParallelism } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';

/** What the bench was asked to do. */
export interface BenchOptions {
  /** Only works whose names match one of these. */
  readonly filter: readonly RegExp[];
  /** File that results are written to, replacing those of the same works. */
  readonly json?: string;
  readonly threads: readonly number[];
  /** `all`, `none`, or names of libraries. */
  readonly peers: readonly string[];
  /** Instruction sets that native libraries are held to, beside their own choice. */
  readonly peerIsa: readonly 'avx2'[];
  /** More Nodes to run in. */
  readonly node: readonly string[];
  /** Instruction sets of our own to measure beside the best. */
  readonly instructions: readonly string[];
  /** Whether evenkeel is measured in Chromium, too. */
  readonly browser: boolean;
  /** Whether graphics cards are measured instead of processors. */
  readonly gpu: boolean;
  /** Which of our plug-ins for graphics cards are measured. */
  readonly plugins: readonly string[];
  /** Seconds after which no other work is begun. */
  readonly seconds: number;
  readonly python?: string;
  readonly quick: boolean;
  readonly list: boolean;
  /** Whether figures go to bench/results, docs/performance.md and its chart. */
  readonly record: boolean;
  /** Whether page and chart are written from the figures that are there, without measuring. */
  readonly render: boolean;
}

/** Reads the command line; prints help or a one-line error and exits where there is nothing to do. */
export function parseOptions(argv: readonly string[]): BenchOptions {
  const cores = availableParallelism();
  const command = new Command('bench')
    .usage('[options]')
    .description('Measures evenkeel beside other libraries, on the same work, with checked results.')
    .option(
      '--filter <names...>',
      'only works that have one of these in their names (regular expressions)',
      patterns,
      [],
    )
    .option('--json <file>', 'write results to a file, in place of those that it has of the same works')
    .option('--threads <counts>', 'thread counts to measure with', counts, [...new Set([1, cores])])
    .option(
      '--peers [names]',
      'libraries to compare with: all, none, or some of pytorch,openblas,tfjs-cpu,tfjs-wasm,jax-js,onnxruntime-web,onnxruntime-node,js-pytorch; with --gpu of webgpu-copy,pytorch-cuda,jax-js-webgpu,tfjs-webgpu,tfjs-webgl',
      names,
      ['all'],
    )
    .option('--peer-isa <isa>', 'measure native libraries held to avx2, too', isas, [])
    .option('--node <paths...>', 'measure evenkeel in these Nodes, too', [])
    .option('--instructions <sets>', 'measure evenkeel with these instructions, too: plain,relaxed', names, [])
    .option('--browser', 'measure in Chromium, too (CHROMIUM says where it is)', false)
    .option('--gpu', 'measure graphics cards: smaller works on devices in software', false)
    .option('--plugins <names>', 'with --gpu, of our own: webgpu,gpujs', names, ['webgpu', 'gpujs'])
    .option('--seconds <count>', 'begin no other work after so many seconds', seconds, Number.POSITIVE_INFINITY)
    .option('--python <path>', 'the Python that has torch; found by itself where it is usual')
    .option('--quick', 'fewer and shorter rounds: rough figures', false)
    .option('--list', 'print the works and measure nothing', false)
    .option('--record', 'write figures to bench/results, docs/performance.md and its chart', false)
    .option('--render', 'write page and chart from the figures that are there; measure nothing', false)
    .allowExcessArguments(false)
    .configureOutput({
      outputError: (text, write) =>
        write(`${text.trim().replaceAll('\n', ' ').replace(/\.?$/, '.')} --help lists the options\n`),
    })
    .parse([...argv], { from: 'user' });
  const { peers, ...options } = command.opts<BenchOptions & { peers: readonly string[] | true }>();
  return { ...options, peers: peers === true ? ['all'] : peers };
}

function patterns(text: string, earlier: readonly RegExp[]): RegExp[] {
  try {
    return [...earlier, new RegExp(text)];
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

function names(text: string): string[] {
  return text.split(',').filter((name) => name !== '');
}

function counts(text: string): number[] {
  const values = text.split(',').map(Number);
  if (values.every((value) => Number.isInteger(value) && value > 0)) return values;
  throw new InvalidArgumentError('give whole numbers, such as 1,2.');
}

function seconds(text: string): number {
  if (Number(text) > 0) return Number(text);
  throw new InvalidArgumentError('give a number, such as 240.');
}

function isas(text: string): 'avx2'[] {
  if (text !== 'avx2') throw new InvalidArgumentError('only avx2 is known.');
  return [text];
}
