import { developmentMode, setDevelopmentMode, Tensor } from '@evenkeel/tensor';

/** What a comment behind an expression says that it is: a value as it is written in the language, then perhaps words. */
export interface Claim {
  /** Name of the typed array that it says it is, as Node prints one. */
  readonly array?: string;
  readonly value: unknown;
}

/** Where a comment says a value: it starts as one does. */
const start = /^(?:\w+Array ?\(?\d*\)? ?)?(?:[[{'"]|[-.]?\d|(?:true|false|undefined|null|-?Infinity|NaN)\b)/;

/** Whether a comment says a value, rather than something in words. */
export function isClaim(comment: string): boolean {
  return start.test(comment);
}

/**
 * Reads `[8, 32], RMS close to 1` as `[8, 32]`, `Float32Array [1, 2]` as that, `'person'` as a string. Throws where the
 * value is not one, as in `[N, 32]`: that can be neither right nor wrong.
 */
export function parseClaim(comment: string): Claim {
  const [, array, rest = ''] = /^(?:(\w+Array) )?(.*)$/.exec(comment) ?? [];
  // Words follow behind a comma, colon or semicolon; the longest beginning that is a value is the claim.
  const ends = [...rest.matchAll(/[,:;]|$/g)].map(({ index }) => index).reverse();
  for (const end of ends) {
    try {
      const value: unknown = new Function('written', `return (${withDigits(rest.slice(0, end))});`)(written);
      return { value, ...(array === undefined ? {} : { array }) };
    } catch {
      // Too long.
    }
  }
  throw new Error(`'${comment}' starts like a value but is none: give numbers, and words behind a comma`);
}

/** A number with a fraction, as it is written. */
interface Written {
  readonly number: number;
  /** How far the exact number may be from it. */
  readonly slack: number;
}

/** Puts fractions outside of strings as {@link Written}, which knows how many digits there are. */
function withDigits(code: string): string {
  return code.replace(/'[^']*'|(?<![\w.])-?\d[\d_]*\.\d+(?:e[+-]?\d+)?/g, (token) =>
    token.startsWith("'") ? token : `written('${token.replaceAll('_', '')}')`,
  );
}

/** Four digits or more may be rounded to them; fewer are exact. Either way float32 may round. */
function written(text: string): Written {
  const [, mantissa = '', exponent = '0'] = /^-?([^e]+)(?:e(.*))?$/.exec(text) ?? [];
  const digits = mantissa.replace('.', '').replace(/^0+/, '').length;
  const lastPlace = 10 ** (Number(exponent) - (mantissa.length - mantissa.indexOf('.') - 1));
  const number = Number(text);
  return { number, slack: 2 ** -22 * Math.abs(number) + (digits >= 4 ? lastPlace / 2 : 0) };
}

/** Throws unless a value is what the comment behind it says. Gives the value, so that it can stand around it. */
export async function says<T>(given: T, comment: string): Promise<T> {
  const { array, value } = parseClaim(comment);
  const actual: unknown = await given;
  if (array !== undefined && (actual as object)?.constructor?.name !== array) {
    throw new Error(`says it is a ${array}, is ${show(actual)}`);
  }
  if (actual instanceof Tensor && agree(actual.shape, value)) return given; // and is not computed
  const shown = actual instanceof Tensor ? await read(actual) : actual;
  if (agree(shown, value)) return given;
  const shape = actual instanceof Tensor ? ` of shape ${show(actual.shape)}` : '';
  throw new Error(`says ${comment}, is ${show(shown)}${shape}`);
}

/** Without development warnings: what the check reads is not the example's doing. */
async function read(tensor: Tensor): Promise<unknown> {
  const mode = developmentMode();
  setDevelopmentMode(false);
  return tensor.array().finally(() => setDevelopmentMode(mode));
}

/** Equal to the end. Of an object, only what is claimed is compared; tensors in lists and objects by shape. */
function agree(actual: unknown, claimed: unknown): boolean {
  if (actual instanceof Tensor) return agree(actual.shape, claimed);
  if (ArrayBuffer.isView(actual)) return agree(Array.from(actual as Float32Array), claimed);
  if (typeof claimed !== 'object' || claimed === null) return actual === claimed || Object.is(actual, claimed);
  if (isWritten(claimed)) return Math.abs((actual as number) - claimed.number) <= claimed.slack;
  if (typeof actual !== 'object' || actual === null) return false;
  if (Array.isArray(claimed)) {
    return (
      Array.isArray(actual) && actual.length === claimed.length && claimed.every((claim, i) => agree(actual[i], claim))
    );
  }
  return Object.entries(claimed).every(([key, claim]) => agree((actual as Record<string, unknown>)[key], claim));
}

function isWritten(claimed: object): claimed is Written {
  return 'slack' in claimed;
}

function show(value: unknown): string {
  const text = JSON.stringify(value, (_, x: unknown) => {
    if (x instanceof Tensor) return String(x);
    return ArrayBuffer.isView(x) ? Array.from(x as Float32Array) : x;
  });
  return (text ?? String(value)).slice(0, 400);
}
