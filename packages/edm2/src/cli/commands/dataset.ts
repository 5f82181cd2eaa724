import { Command, Option } from 'commander';
import type { TransformName } from '../../data/transform/transform.ts';
import {
  convertDataset,
  type DatasetProgress,
  type DatasetReport,
  type DatasetWorkOptions,
} from '../../node/data/convert.ts';
import { type DatasetInfo, datasetInfo } from '../../node/data/info.ts';
import { decodeDataset, encodeDataset } from '../../node/data/latents.ts';
import { openImageDataset } from '../../node/data/open.ts';
import { loadStabilityVae } from '../../node/stability-vae.ts';
import { type BackendChoice, useBackend, withBackend } from '../backend.ts';
import { onInterrupt } from '../interrupt.ts';
import { printJson, progressBeside, withJson } from '../json-output.ts';
import type { ProgressLine } from '../progress-line.ts';
import { TimeLeft } from '../time-left.ts';
import { countFrom, imageSize } from '../values.ts';

const transforms: readonly TransformName[] = ['center-crop', 'center-crop-wide', 'center-crop-dhariwal'];

/** `edm2 dataset`: data sets made, encoded and looked at. */
export function datasetCommand(): Command {
  return new Command('dataset')
    .description('Makes data sets for training: folders or zip archives of images, or of latents.')
    .addCommand(convertCommand())
    .addCommand(encodeCommand())
    .addCommand(decodeCommand())
    .addCommand(infoCommand());
}

interface WorkOptions {
  readonly source: string;
  readonly dest: string;
  readonly maxImages?: number;
  readonly json?: boolean;
}

/** Gives a command the options that all work on images has. */
function withFiles(command: Command, source: string, dest: string): Command {
  return command
    .requiredOption('--source <path>', source)
    .requiredOption('--dest <path>', dest)
    .option('--max-images <count>', 'take this many of the first images (default: all)', countFrom(1));
}

interface ConvertCommandOptions extends WorkOptions {
  readonly transform?: TransformName;
  readonly resolution?: readonly [number, number];
}

function convertCommand(): Command {
  const command = new Command('convert').description(
    'Makes a data set of square RGB images of one size, with labels from dataset.json or from folders.',
  );
  const files = withFiles(
    command,
    'a folder or zip archive of images, a folder of MNIST-like idx files, or emoji16',
    'a new or empty folder, or a file that ends in .zip: one that exists is replaced when all is done',
  );
  return withJson(
    files
      .addOption(
        new Option('--transform <name>', 'how images get their size (default: resized as they are)').choices(
          transforms,
        ),
      )
      .option('--resolution <WxH>', 'width and height of the result, such as 64x64', imageSize),
  )
    .addHelpText(
      'after',
      `
Examples:
  edm2 dataset convert --source=photos --dest=photos-64.zip --transform=center-crop --resolution=64x64
  edm2 dataset convert --source=imagenet/train --dest=imagenet-64.zip --transform=center-crop-dhariwal --resolution=64x64
  edm2 dataset convert --source=/usr/share/datasets/fashion-mnist --dest=fashion-32.zip --resolution=32x32`,
    )
    .action(async (options: ConvertCommandOptions, self: Command) => {
      const { transform, resolution: size } = options;
      if (transform !== undefined && size === undefined)
        wrongUsage(self, `--transform ${transform} needs --resolution`);
      if (transform === 'center-crop-dhariwal' && size?.[0] !== size?.[1]) {
        wrongUsage(self, `--transform ${transform} makes squares: give --resolution as 64x64`);
      }
      await work(options, (shared) => convertDataset({ ...shared, transform, size }));
    });
}

interface LatentCommandOptions extends WorkOptions, BackendChoice {
  readonly model?: string;
  readonly modelUrl?: string;
}

function encodeCommand(): Command {
  const command = new Command('encode').description(
    'Encodes images with the Stable Diffusion VAE: a data set of means and standard deviations, for latent diffusion.',
  );
  return withJson(
    withModel(
      withFiles(
        command,
        'a data set of images',
        'a new or empty folder, or a file that ends in .zip: one that exists is replaced when all is done',
      ),
    ),
  )
    .addHelpText(
      'after',
      `
Example:
  edm2 dataset encode --source=images-512.zip --dest=latents-64.zip --model=diffusion_pytorch_model.safetensors`,
    )
    .action((options: LatentCommandOptions, self: Command) => latentWork(options, self, encodeDataset));
}

function decodeCommand(): Command {
  const command = new Command('decode').description(
    'Decodes latents with the Stable Diffusion VAE: a data set of images.',
  );
  return withJson(
    withModel(
      withFiles(
        command,
        'latents (npy, 4 or 8 channels)',
        'a new or empty folder, or a file that ends in .zip: one that exists is replaced when all is done',
      ),
    ),
  )
    .addHelpText(
      'after',
      `
Example:
  edm2 dataset decode --source=latents-64.zip --dest=decoded --model=diffusion_pytorch_model.safetensors --max-images=16`,
    )
    .action((options: LatentCommandOptions, self: Command) => latentWork(options, self, decodeDataset));
}

function withModel(command: Command): Command {
  return withBackend(
    command
      .option('--model <file>', 'weights: diffusion_pytorch_model.safetensors of stabilityai/sd-vae-ft-mse')
      .option('--model-url <path>', 'the same; a path on this machine, for nothing is downloaded'),
  );
}

async function latentWork(options: LatentCommandOptions, self: Command, run: typeof encodeDataset): Promise<void> {
  const model = options.model ?? options.modelUrl ?? wrongUsage(self, '--model is missing: give the file of weights');
  const device = await useBackend(options);
  if (!options.json) process.stdout.write(`${device}\n`);
  using vae = await loadStabilityVae(model);
  await work(options, (shared) => run({ ...shared, vae }));
}

interface InfoCommandOptions {
  readonly check?: boolean;
  readonly json?: boolean;
}

function infoCommand(): Command {
  const command = new Command('info')
    .description('Says what a data set holds.')
    .argument('<path>', 'a folder or zip archive, a folder of MNIST-like idx files, or emoji16')
    .option('--check', 'read every image, so that a damaged one is found')
    .addHelpText(
      'after',
      `
Examples:
  edm2 dataset info photos-64.zip --check
  edm2 dataset info emoji16 --json`,
    );
  return withJson(command).action(async (path: string, { check = false, json }: InfoCommandOptions) => {
    const line = progressBeside(json);
    await using dataset = await openImageDataset(path, { cache: false });
    const info = await datasetInfo(dataset, { check, onProgress: progressOf(line) });
    if (json) printJson({ path, ...info });
    else for (const text of infoLines(path, info, check)) line.print(text);
  });
}

function infoLines(path: string, info: DatasetInfo, check: boolean): string[] {
  const { images, channels, resolution, values, labelDim, classCounts, classNames } = info;
  const labels =
    labelDim === 0 ? 'no labels' : classCounts === null ? `label vectors of ${labelDim}` : `${labelDim} classes`;
  const widths = classCounts?.map((_, label) => (classNames?.[label] ?? String(label)).length) ?? [];
  const widest = widths.reduce((most, width) => Math.max(most, width), 0);
  return [
    `${path}: ${images} images, ${channels} x ${resolution} x ${resolution} (${values}), ${labels}${check ? '; all of them read well' : ''}`,
    ...(classCounts ?? []).map((size, label) => `  ${(classNames?.[label] ?? String(label)).padEnd(widest)}  ${size}`),
  ];
}

/** Runs `run` with a progress line, and says what became of the images. */
async function work(
  { source, dest, maxImages, json }: WorkOptions,
  run: (options: DatasetWorkOptions) => Promise<DatasetReport>,
): Promise<void> {
  const line = progressBeside(json);
  const signal = onInterrupt(line);
  const shared = { source, dest, onProgress: progressOf(line), signal, ...(maxImages !== undefined && { maxImages }) };
  try {
    const report = await run(shared);
    if (json) printJson({ dest, ...report });
    else for (const text of reportLines(dest, report)) line.print(text);
  } catch (error) {
    if (!signal.aborted) throw error;
    line.print(`stopped: ${dest} is as it was`);
    process.exitCode = 130;
  }
}

function reportLines(dest: string, { written, skipped, unlabelled }: DatasetReport): string[] {
  return [
    `${dest}: ${written} images`,
    ...(skipped > 0 ? [`${skipped} images are too small and were left out`] : []),
    ...(unlabelled === written ? ['without labels'] : []),
    ...(unlabelled > 0 && unlabelled < written ? [`${unlabelled} images have no label: the data set has none`] : []),
  ];
}

function progressOf(line: ProgressLine): (progress: DatasetProgress) => void {
  const time = new TimeLeft();
  return ({ done, total }) => {
    const { seconds } = time;
    if (seconds < 2) return; // what is done sooner needs none, and the first images say little of the others
    const rate = (done / seconds).toPrecision(3);
    line.update(() => `${done} of ${total} images  ${rate} images/s  ${time.left(done / total)} left`);
  };
}

function wrongUsage(command: Command, message: string): never {
  return command.error(`error: ${message}`, { exitCode: 2 });
}
