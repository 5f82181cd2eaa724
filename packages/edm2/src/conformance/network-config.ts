import { Precond, type PrecondOptions } from '../network/precondition.ts';
import { blockOptionNames, networkOptionNames } from '../published/option-names.ts';
import type { ReferenceCase } from './reference-case.ts';

function pick(config: Readonly<Record<string, unknown>>, keys: Readonly<Record<string, string>>) {
  const present = Object.entries(keys).filter(([key]) => config[key] !== undefined);
  return Object.fromEntries(present.map(([key, option]) => [option, config[key]]));
}

/** Options of a block in a case's config. */
export function blockStyle({ config, dtype }: ReferenceCase) {
  return { ...pick(config, blockOptionNames), dtype };
}

/** Options of the network that a case's config describes. */
export function networkOptions({ config, dtype }: ReferenceCase): PrecondOptions {
  return { ...pick(config, networkOptionNames), dtype } as unknown as PrecondOptions;
}

/** The network that a case's config describes, in its mode, with first values of its own. */
export function makeNetwork(reference: ReferenceCase): Precond {
  return reference.own(new Precond(networkOptions(reference))).train(reference.flag('training'));
}

/** The network of a case, with the case's parameters. */
export async function loadNetwork(reference: ReferenceCase): Promise<Precond> {
  const net = makeNetwork(reference);
  net.loadStateDict(await reference.parameters());
  return net;
}
