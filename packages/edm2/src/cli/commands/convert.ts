import { Command, Option } from 'commander';
import { type Conversion, convertWeights } from '../../node/convert-weights.ts';
import { emaLength } from '../ema-lengths.ts';
import { printJson, withJson } from '../json-output.ts';
import { networkLine } from '../network-line.ts';

/** `edm2 convert`. */
export function convertCommand(): Command {
  const command = new Command('convert')
    .description('Writes the weights of a network as safetensors, under their published names.')
    .argument('<source>', 'a published snapshot (.pkl), a safetensors file, or a folder of snapshots')
    .argument('<dest>', 'the file to write, .safetensors, or a folder to write it in')
    .addOption(
      new Option('--dtype <name>', 'what numbers are stored in (default: as in the source)').choices([
        'float16',
        'float32',
      ]),
    )
    .option('--std <length>', 'of a folder: which average (default: the longest)', emaLength)
    .option('--force', 'replace a file that exists')
    .option('-n, --dry-run', 'read the source and say what would be written, and stop')
    .addHelpText('after', help);
  return withJson(command).action(run);
}

const help = `
Nothing of a pickle is executed: it is read as data, and what is no network snapshot is refused.

Examples:
  edm2 convert edm2-img512-s-2147483-0.130.pkl edm2-img512-s.safetensors
  edm2 convert downloads/edm2-img64-s-1073741-0.075.pkl weights/ --dtype=float32
  edm2 convert out/emoji newest.safetensors --std=0.1 --dtype=float16`;

interface ConvertFlags {
  readonly dtype?: 'float16' | 'float32';
  readonly std?: number;
  readonly force?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

async function run(source: string, dest: string, { json, ...options }: ConvertFlags): Promise<void> {
  const conversion = await convertWeights(source, dest, options);
  if (json) printJson(asJson(conversion));
  else process.stdout.write(`${asText(conversion, options.dryRun)}\n`);
}

function asText({ source, destination, bytes, weights }: Conversion, dryRun = false): string {
  const { description, images, std } = weights;
  const average = std === undefined ? '' : `, average of length ${std}`;
  const seen = images === undefined ? '' : ` after ${images} images`;
  return [
    `${source}: ${networkLine(description)}${average}${seen}`,
    `${dryRun ? 'would write' : 'wrote'} ${destination}: ${weights.values.size} tensors, ${(bytes / 1e6).toFixed(1)} MB`,
  ].join('\n');
}

function asJson({ source, destination, bytes, weights }: Conversion) {
  const { description, images = null, std = null, values } = weights;
  return { source, destination, bytes, tensors: values.size, images, std, ...description };
}
