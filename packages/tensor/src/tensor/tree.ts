import { Tensor } from './tensor.ts';

/** What stands at the places of a value made of lists and records. */
export interface Flattened {
  /** Tensors and numbers, in order. */
  readonly leaves: readonly (Tensor | number)[];
  /** Equal for values of one form: the same lists and record names, dtypes and shapes. Numbers do not show in it. */
  readonly form: string;
  /** A value of the same form with other leaves. */
  rebuild(leaves: readonly unknown[]): unknown;
}

/** Takes apart `value`, made of tensors, numbers, null and undefined in lists and plain objects; throws `complain(part)` at anything else. */
export function flatten(value: unknown, complain: (odd: unknown) => Error): Flattened {
  const leaves: (Tensor | number)[] = [];
  let form = '';
  const walk = (part: unknown): Flattened['rebuild'] => {
    if (part instanceof Tensor || typeof part === 'number') {
      form += typeof part === 'number' ? 'number' : `${part.dtype}[${part.shape}]`;
      const place = leaves.push(part) - 1;
      return (given) => given[place];
    }
    if (part === null || part === undefined) {
      form += part;
      return () => part;
    }
    if (Array.isArray(part)) {
      form += '(';
      const items = part.map(walkNext);
      form += ')';
      return (given) => items.map((item) => item(given));
    }
    if (!isRecord(part)) throw complain(part);
    form += '{';
    const entries = Object.keys(part).map((name) => {
      form += JSON.stringify(name);
      return [name, walkNext(part[name])] as const;
    });
    form += '}';
    return (given) => Object.fromEntries(entries.map(([name, item]) => [name, item(given)]));
  };
  const walkNext = (part: unknown): Flattened['rebuild'] => {
    const rebuild = walk(part);
    form += ',';
    return rebuild;
  };
  const rebuild = walk(value);
  return { leaves, form, rebuild };
}

function isRecord(part: unknown): part is Readonly<Record<string, unknown>> {
  if (typeof part !== 'object' || part === null) return false;
  const prototype: unknown = Object.getPrototypeOf(part);
  return prototype === Object.prototype || prototype === null;
}
