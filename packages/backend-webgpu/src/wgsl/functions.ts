import { floatFunctions } from './float-functions.ts';
import { integerFunctions } from './integer-functions.ts';
import { powerFunctions } from './power-functions.ts';
import { randomFunctions } from './random-functions.ts';
import { storageFunctions } from './storage-functions.ts';
import { transcendentalFunctions } from './transcendental-functions.ts';

/** A function in WGSL, with the others that it calls. */
export interface WgslFunction {
  readonly code: string;
  readonly uses?: readonly string[];
}

const functions = {
  ...storageFunctions,
  ...integerFunctions,
  ...floatFunctions,
  ...transcendentalFunctions,
  ...powerFunctions,
  ...randomFunctions,
} as const satisfies Record<string, WgslFunction>;

export type FunctionName = keyof typeof functions;

/** The texts of functions and of all that they call, each once, callees first. */
export function functionsText(names: Iterable<FunctionName>): string {
  const texts = new Map<string, string>();
  const add = (name: string): void => {
    if (texts.has(name)) return;
    const { code, uses = [] } = functions[name as FunctionName] as WgslFunction;
    uses.forEach(add);
    texts.set(name, code.trim());
  };
  [...names].sort().forEach(add);
  return [...texts.values()].join('\n\n');
}
