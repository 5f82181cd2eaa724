import { isDeepStrictEqual } from 'node:util';
import { stateDictOf } from '../../ema/index.ts';
import { Precond } from '../../network/precondition.ts';
import { decodePublishedSnapshot } from '../../published/decode-snapshot.ts';
import { networkOptions } from '../network-config.ts';
import type { CaseRunner } from '../reference-case.ts';

/** A snapshot that published code wrote: the network that it says it is of, with its values loaded. */
export const snapshot: CaseRunner = async (reference) => {
  const file = reference.string('file');
  const { values, description } = decodePublishedSnapshot(await reference.bytes(), file);
  const { dtype, ...expected } = networkOptions(reference);
  for (const [option, value] of Object.entries(expected)) {
    const given = description.options[option as keyof typeof expected];
    if (given !== undefined && !isDeepStrictEqual(given, value)) {
      throw new Error(`${file} says ${option} ${JSON.stringify(given)}, config ${JSON.stringify(value)}`);
    }
  }
  const net = reference.own(new Precond({ ...description.options, dtype: reference.dtype }));
  net.loadStateDict(stateDictOf(values));
  return new Map([...net.stateDict()].map(([name, value]) => [`out/${name}`, value]));
};
