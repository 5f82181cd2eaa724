import type { Kernel } from '@evenkeel/tensor/kernel';

/** A string that equal kernels share. Shared expressions are written once. */
export function structureKey(kernel: Kernel): string {
  const numbers = new Map<object, number>();
  const parts: string[] = [];
  const number = (part: object): number => {
    let known = numbers.get(part);
    if (known === undefined) {
      const entries = Object.entries(part).map(([key, value]) => `${key}:${text(value)}`);
      known = numbers.size;
      numbers.set(part, known);
      parts.push(`${known}=${Array.isArray(part) ? '[]' : ''}${entries.join()}`);
    }
    return known;
  };
  const text = (value: unknown): string => {
    if (typeof value === 'object' && value !== null) return `#${number(value)}`;
    return Object.is(value, -0) ? '-0' : String(value);
  };
  number(kernel);
  return parts.join(';');
}
