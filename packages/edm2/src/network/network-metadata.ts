import { Dropout } from '@evenkeel/nn';
import { checkNetworkOptions } from './network-options.ts';
import type { Precond, PrecondOptions } from './precondition.ts';

/** What training images were turned into before the network saw them: pixels as they are, or latents of the Stable Diffusion VAE. */
export type EncoderName = 'rgb' | 'stability-vae';

/** What a file of weights says of the network that they belong to. */
export interface NetworkDescription {
  readonly options: PrecondOptions;
  /** @defaultValue 'rgb' for 3 channels or fewer, else 'stability-vae' */
  readonly encoder: EncoderName;
}

/**
 * A network's description, as metadata of a safetensors file that holds its weights. A description that was read is taken
 * as well as a network.
 *
 * @example
 * ```ts
 * const net = new Precond({ imgResolution: 8, imgChannels: 3, labelDim: 0, modelChannels: 8, channelMult: [1], numBlocks: 1 });
 * const metadata = networkMetadata(net);
 * describedNetwork(metadata).options.imgResolution; // 8
 * ```
 */
export function networkMetadata(
  net: Pick<Precond, 'options'> | NetworkDescription,
  encoder = 'encoder' in net ? net.encoder : encoderFor(net.options),
): Record<string, string> {
  // How it was computed says nothing of the weights: fp16 is asked for anew.
  const { generator, fp16, dropout, ...options } = net.options;
  const probability = dropout instanceof Dropout ? dropout.probability : dropout;
  const described = { ...options, ...(probability === undefined ? {} : { dropout: probability }) };
  return { network: JSON.stringify(described), encoder };
}

/**
 * Reads what {@link networkMetadata} wrote.
 *
 * @throws when the metadata describes no network, or one that cannot be.
 * @example
 * ```ts
 * const options = { imgResolution: 8, imgChannels: 4, labelDim: 0 };
 * describedNetwork({ network: JSON.stringify(options) }, 'weights.safetensors').encoder; // 'stability-vae'
 * ```
 */
export function describedNetwork(metadata: Readonly<Record<string, string>>, file = 'snapshot'): NetworkDescription {
  const described = parsed(metadata.network);
  if (described === undefined) throw new Error(`${file}: does not say which network it is of (metadata 'network')`);
  const options = checkNetworkOptions(described, file);
  const encoder = metadata.encoder ?? encoderFor(options);
  if (encoder !== 'rgb' && encoder !== 'stability-vae')
    throw new Error(`${file}: encoder ${JSON.stringify(encoder.slice(0, 60))} is not known`);
  return { options, encoder };
}

/** The encoder whose latents have as many channels as the network. */
export function encoderFor({ imgChannels }: Pick<PrecondOptions, 'imgChannels'>): EncoderName {
  return imgChannels <= 3 ? 'rgb' : 'stability-vae';
}

function parsed(json = ''): Record<string, unknown> | undefined {
  try {
    const options: unknown = JSON.parse(json);
    return typeof options === 'object' && options !== null ? (options as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
