import { encodePng } from '@evenkeel/formats';
import { assertWritable, writeFileAtomically } from '@evenkeel/formats/node';
import { Command, InvalidArgumentError, Option } from 'commander';
import { imageGrid } from '../../data/index.ts';
import { readNetwork, type StoredNetwork } from '../../node/read-network.ts';
import { generateImageFiles, missingSeeds, seedFile } from '../../node/sample/generate-files.ts';
import { findGenerationFiles } from '../../node/sample/generation-files.ts';
import { generationPresets } from '../../presets/index.ts';
import { type GenerateOptions, generateImages } from '../../sample/generate.ts';
import { type BackendChoice, useBackend, withBackend } from '../backend.ts';
import { type GuideFlags, withGuide } from '../guide-options.ts';
import { onInterrupt } from '../interrupt.ts';
import { printJson, progressBeside, withJson } from '../json-output.ts';
import { encoderOf } from '../latents.ts';
import { PicturePace } from '../picture-pace.ts';
import { duration } from '../progress-line.ts';
import { type SamplerFlags, samplerOptions, withSampler } from '../sampler-options.ts';
import { fileEndingIn, integerList, seedNumber, wholeNumber } from '../values.ts';

interface SampleFlags extends BackendChoice, SamplerFlags, GuideFlags {
  readonly preset?: string;
  readonly models: string;
  readonly net?: string;
  readonly outdir?: string;
  readonly subdirs?: boolean;
  readonly grid?: string;
  readonly overwrite?: boolean;
  readonly seeds: number[];
  readonly class?: number;
  readonly batch: number;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** `edm2 sample`: pictures from networks. */
export function sampleCommand(): Command {
  const command = new Command('sample')
    .description(
      'Makes pictures: one PNG a seed, or one picture of all. The same command again goes on where it stopped.',
    )
    .option(
      '--preset <name>',
      'networks and guidance of published results; their files must be on this machine',
      knownPreset,
    )
    .option('--models <folder>', 'where the files that --preset names lie', '.')
    .option('--net <path>', 'network: a snapshot, or a folder of them, whose newest is taken');
  withGuide(command)
    .option('--outdir <folder>', 'where pictures go, named 000016.png after their seeds')
    .option('--subdirs', 'a folder for each thousand seeds')
    .option('--grid <file>', 'one picture of all, a PNG file', fileEndingIn('.png'))
    .option('--overwrite', 'make pictures anew that are there')
    .addOption(
      new Option('--seeds <list>', 'which pictures, such as 1,2,5-10')
        .argParser(integerList)
        .default(integerList('16-19'), '16-19'),
    )
    .option('--class <number>', 'class of all pictures (default: drawn for each)', seedNumber)
    .option('--batch <count>', 'most pictures computed together', wholeNumber, 32);
  withSampler(command).option('-n, --dry-run', 'say what would be made, and stop').addHelpText('after', help);
  return withJson(withBackend(command)).action(run);
}

const help = `
A seed gives the same picture in any batch. A picture whose file is there is not made again, but for --overwrite.

Examples:
  edm2 sample --net=runs/00 --outdir=out --seeds=0-63
  edm2 sample --net=runs/00 --grid=class3.png --seeds=0-15 --class=3
  edm2 sample --net=main.safetensors --gnet=early.safetensors --guidance=1.7 --outdir=out
  edm2 sample --net=xxl.pkl --gnet=xs-uncond.pkl --guidance=2 --guidance-interval=17-22 --vae=vae.safetensors --outdir=out
  edm2 sample --preset=edm2-img512-s-guid-fid --models=weights --vae=vae.safetensors --outdir=out --seeds=0-49999 --subdirs

Presets:
${[...generationPresets.keys()].map((name) => `  ${name}`).join('\n')}`;

function knownPreset(name: string): string {
  if (generationPresets.has(name)) return name;
  throw new InvalidArgumentError('edm2 sample --help lists the presets.');
}

async function run(flags: SampleFlags, command: Command): Promise<void> {
  const { outdir, grid, seeds, json, dryRun, subdirs = false, overwrite = false } = flags;
  if (outdir === undefined && grid === undefined)
    command.error('error: give --outdir, or --grid for one picture of all');
  if (flags.sigma_min > flags.sigma_max) command.error('error: --sigma_min is above --sigma_max');
  const { net: netPath, guide: guidePath, guidance } = await networksOf(flags, command);

  const line = progressBeside(json);
  const network = await readNetwork(netPath);
  const guide = guidePath === undefined ? undefined : await readNetwork(guidePath);
  try {
    checkNetworks(flags, network, guide);
    const encoder = await encoderOf(network, flags.vae);
    line.print(describe(network));
    if (guide !== undefined) line.print(`guidance ${guidance} away from ${describe(guide)}`);
    const inFolder = outdir === undefined ? [] : overwrite ? seeds : await missingSeeds(outdir, seeds, { subdirs });
    const total = inFolder.length + (grid === undefined ? 0 : seeds.length);
    if (dryRun) {
      if (json)
        printJson({ net: network.file, guide: guide?.file, guidance, seeds: seeds.length, toMake: total, dryRun });
      else line.print(`dry run: ${total} pictures to make, ${seeds.length} seeds`);
      return;
    }
    if (grid !== undefined) await assertWritable(grid);
    line.print(`backend ${await useBackend(flags)}`);
    const signal = onInterrupt(line);
    const pace = new PicturePace(total, flags.batch, line);
    const options: GenerateOptions = {
      ...samplerOptions(flags),
      batchSize: flags.batch,
      encoder,
      ...(flags.class !== undefined && { label: flags.class }),
      ...(guide && guidance !== 1 && { guide: guide.net, guidance }),
      onStep({ step, steps }) {
        signal.throwIfAborted();
        pace.step(step, steps);
      },
    };
    const summary = { written: 0, skipped: 0 };
    try {
      if (outdir !== undefined) {
        const onBatch = ({ done }: { done: number }) => {
          summary.written = done;
          pace.finished(done);
        };
        const made = { ...options, folder: outdir, subdirs, overwrite, onBatch };
        Object.assign(summary, await generateImageFiles(network.net, seeds, made));
      }
      if (grid !== undefined)
        await writeGrid(grid, network.net, seeds, options, (done) => pace.finished(inFolder.length + done));
    } catch (error) {
      if (!signal.aborted) throw error;
      line.print(`stopped after ${summary.written} pictures. The same command goes on`);
      process.exitCode = 130;
      return;
    }
    const seconds = pace.seconds;
    if (json) printJson({ net: network.file, guide: guide?.file, guidance, ...summary, grid, seconds });
    else line.print(done(summary, { outdir, grid, seconds, first: seeds[0] as number, subdirs }));
  } finally {
    network.net.dispose();
    guide?.net.dispose();
  }
}

/** Files and guidance that the flags ask for; what is given beside a preset replaces what it says. */
async function networksOf(flags: SampleFlags, command: Command) {
  const { preset, net, gnet, guidance, models } = flags;
  if (preset === undefined) {
    if (net === undefined) command.error('error: give --net, or --preset');
    if (guidance !== undefined && guidance !== 1 && gnet === undefined) {
      command.error(`error: --guidance ${guidance} needs --gnet, the network to move away from`);
    }
    return { net: net as string, guide: gnet, guidance: guidance ?? 1 };
  }
  const found = net === undefined || gnet === undefined ? await findGenerationFiles(preset, models) : undefined;
  return {
    net: net ?? (found?.net as string),
    guide: gnet ?? found?.guide,
    guidance: guidance ?? found?.guidance ?? 1,
  };
}

function checkNetworks(flags: SampleFlags, { net, file }: StoredNetwork, guide: StoredNetwork | undefined): void {
  const { imgResolution, imgChannels, labelDim } = net.options;
  if (flags.class !== undefined && flags.class >= labelDim) {
    const has = labelDim === 0 ? 'no classes' : `classes 0 to ${labelDim - 1}`;
    throw new Error(`--class ${flags.class}: ${file} has ${has}`);
  }
  if (guide === undefined) return;
  const other = guide.net.options;
  if (other.imgResolution !== imgResolution || other.imgChannels !== imgChannels) {
    throw new Error(
      `${guide.file}: makes images [${other.imgChannels}, ${other.imgResolution}, ${other.imgResolution}], ${file} [${imgChannels}, ${imgResolution}, ${imgResolution}]. Give a guide of the same images`,
    );
  }
  if (other.labelDim !== 0 && other.labelDim !== labelDim) {
    throw new Error(
      `${guide.file}: knows ${other.labelDim} classes, ${file} ${labelDim}. Give a guide of the same classes`,
    );
  }
}

function describe({ file, net, images, std }: StoredNetwork): string {
  const { imgResolution, imgChannels, labelDim } = net.options;
  const after = images === undefined ? '' : ` after ${images} images`;
  const length = std === undefined ? '' : `, average ${std}`;
  return `${file}: [${imgChannels}, ${imgResolution}, ${imgResolution}], ${labelDim} classes${after}${length}`;
}

async function writeGrid(
  file: string,
  net: StoredNetwork['net'],
  seeds: readonly number[],
  options: GenerateOptions,
  onBatch: (done: number) => void,
): Promise<void> {
  const pictures: Uint8Array[] = [];
  for await (const { images } of generateImages(net, seeds, options)) {
    pictures.push(...images);
    onBatch(pictures.length);
  }
  const channels = Number.isInteger(Math.sqrt(pictures[0]!.length)) ? 1 : 3;
  await writeFileAtomically(file, encodePng(imageGrid(pictures, { channels })));
}

interface Outcome {
  readonly outdir: string | undefined;
  readonly grid: string | undefined;
  readonly seconds: number;
  readonly first: number;
  readonly subdirs: boolean;
}

function done(
  summary: { written: number; skipped: number },
  { outdir, grid, seconds, first, subdirs }: Outcome,
): string {
  const parts: string[] = [];
  if (outdir !== undefined) {
    const there = summary.skipped === 0 ? '' : `, ${summary.skipped} were there`;
    parts.push(`${summary.written} pictures written${there}: ${seedFile(outdir, first, { subdirs })} ...`);
  }
  if (grid !== undefined) parts.push(grid);
  return `${parts.join('; ')} (${duration(seconds)})`;
}
