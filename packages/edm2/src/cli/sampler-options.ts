import { type Command, InvalidArgumentError, Option } from 'commander';
import type { GenerateOptions } from '../sample/generate.ts';
import type { GuidanceInterval } from '../sample/guidance.ts';
import { numberIn } from './values.ts';

/** Options of the sampler under their published names. */
export interface SamplerFlags {
  readonly steps: number;
  readonly sigma_min: number;
  readonly sigma_max: number;
  readonly rho: number;
  readonly S_churn: number;
  readonly S_min: number;
  readonly S_max: number;
  readonly S_noise: number;
  readonly guidanceInterval?: GuidanceInterval;
}

/** Gives a command the options of {@link SamplerFlags}. */
export function withSampler(command: Command): Command {
  return command
    .option('--steps <count>', 'steps from noise to image', numberIn({ least: 1, whole: true }), 32)
    .option('--sigma_min <sigma>', 'lowest noise level', numberIn({ above: 0 }), 0.002)
    .option('--sigma_max <sigma>', 'highest noise level', numberIn({ above: 0 }), 80)
    .option('--rho <number>', 'how steps gather at low levels', numberIn({ above: 0 }), 7)
    .option('--S_churn <amount>', 'new noise mixed in, over all steps', numberIn({ least: 0 }), 0)
    .option('--S_min <sigma>', 'lowest noise level with new noise', numberIn({ least: 0 }), 0)
    .addOption(
      new Option('--S_max <sigma>', 'highest noise level with new noise')
        .argParser(numberIn({ least: 0, most: Number.POSITIVE_INFINITY }))
        .default(Number.POSITIVE_INFINITY, 'inf'),
    )
    .option('--S_noise <number>', 'standard deviation of new noise', numberIn({ least: 0 }), 1)
    .option(
      '--guidance-interval <interval>',
      'where it is guided: steps 17-22, or noise levels sigma=0.19-1.61 (default: everywhere)',
      guidanceInterval,
    );
}

/** What the flags mean, for `generateImages`. */
export function samplerOptions(flags: SamplerFlags): Pick<GenerateOptions, 'steps' | 'churn' | 'guidanceInterval'> {
  const { steps, sigma_min: sigmaMin, sigma_max: sigmaMax, rho, S_churn: amount, guidanceInterval: interval } = flags;
  const levels = { steps, sigmaMin, sigmaMax, rho };
  const churn = { amount, sigmaMin: flags.S_min, sigmaMax: flags.S_max, noiseScale: flags.S_noise };
  return { ...levels, ...(amount > 0 && { churn }), ...(interval && { guidanceInterval: interval }) };
}

/** `17-22` or `sigma=0.19-1.61`. */
export function guidanceInterval(text: string): GuidanceInterval {
  const [, first, last] = /^\s*(\d+)\s*-\s*(\d+)\s*$/.exec(text) ?? [];
  if (first !== undefined && Number(first) <= Number(last)) return { firstStep: Number(first), lastStep: Number(last) };
  const [, above, most] = /^\s*sigma=([\d.e]+)\s*-\s*([\d.e]+|inf)\s*$/.exec(text) ?? [];
  const [sigmaAbove, sigmaMost] = [Number(above), most === 'inf' ? Number.POSITIVE_INFINITY : Number(most)];
  if (above !== undefined && sigmaAbove < sigmaMost) return { sigmaAbove, sigmaMost };
  throw new InvalidArgumentError('Give steps, such as 17-22, or noise levels, such as sigma=0.19-1.61.');
}
