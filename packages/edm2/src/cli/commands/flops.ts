import { Command } from 'commander';
import { type NetworkComplexity, networkComplexity } from '../../network/complexity.ts';
import { encoderFor, type NetworkDescription } from '../../network/network-metadata.ts';
import { readWeights } from '../../node/read-network.ts';
import { trainingPresets } from '../../presets/index.ts';
import { printJson, withJson } from '../json-output.ts';
import { networkLine } from '../network-line.ts';

/** `edm2 flops`. */
export function flopsCommand(): Command {
  const command = new Command('flops')
    .description('Counts parameters and operations of a network, for one evaluation of one image.')
    .argument('<net>', 'a preset, a published snapshot (.pkl), a safetensors file, or a folder of snapshots')
    .addHelpText('after', help);
  return withJson(command).action(run);
}

const help = `
A multiplication and the addition that follows it count as one operation, as in the paper; the normalization of weights
is included. A preset is counted for the data that it was made for.

Examples:
  edm2 flops edm2-img512-s
  edm2 flops edm2-img512-s-2147483-0.130.pkl --json
  edm2 flops out/emoji

Presets:
${[...trainingPresets.keys()].map((name) => `  ${name}`).join('\n')}`;

async function run(net: string, { json }: { readonly json?: boolean }): Promise<void> {
  const description = await describe(net);
  const complexity = networkComplexity(description.options);
  if (json) printJson({ ...complexity, flopsByOp: Object.fromEntries(complexity.flopsByOp) });
  else process.stdout.write(`${asTable(description, complexity)}\n`);
}

async function describe(net: string): Promise<NetworkDescription> {
  const preset = trainingPresets.get(net);
  if (preset === undefined) return (await readWeights(net)).description;
  const options = { ...preset.network, ...preset.madeFor };
  return { options, encoder: encoderFor(options) };
}

function asTable(description: NetworkDescription, { parameters, flops, flopsByOp }: NetworkComplexity): string {
  const rows = [...flopsByOp].map(([op, count]) => [op, grouped(count), `${((100 * count) / flops).toFixed(2)}%`]);
  const table = [...rows, ['all', grouped(flops), '100.00%']] as [string, string, string][];
  const [nameWidth, countWidth] = [0, 1].map((column) => Math.max(...table.map((row) => row[column]!.length)));
  return [
    networkLine(description),
    `parameters ${grouped(parameters)}`,
    '',
    ...table.map(
      ([name, count, share]) => `${name.padEnd(nameWidth!)}  ${count.padStart(countWidth!)}  ${share.padStart(7)}`,
    ),
    '',
    `${(flops / 1e9).toPrecision(5)} Gflops`,
  ].join('\n');
}

/** Digits in groups of three: `1,523,164,773`. */
function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}
