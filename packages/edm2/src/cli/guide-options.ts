import type { Command } from 'commander';
import { numberIn } from './values.ts';

/** What a network is guided by. */
export interface GuideFlags {
  readonly gnet?: string;
  readonly guidance?: number;
  readonly vae?: string;
}

/** Gives a command the options of {@link GuideFlags}. */
export function withGuide(command: Command): Command {
  return command
    .option('--gnet <path>', 'network to move away from: unconditional, smaller, or less trained')
    .option('--guidance <weight>', 'how far to move away from --gnet; 1 is not at all (default: 1)', numberIn())
    .option('--vae <file>', 'weights of the Stable Diffusion VAE, for networks of its latents');
}
