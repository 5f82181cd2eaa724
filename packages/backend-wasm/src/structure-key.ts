import type { Kernel } from '@evenkeel/tensor/kernel';

/** A string that equal kernels share. Shared expressions are written once. */
export function structureKey(kernel: Kernel): string {
  const numbers = new Map<object, number>();
  const parts: string[] = [];
  const number = (part: object): number => {
    let known = numbers.get(part);
    if (known === undefined) {
      let entries = Array.isArray(part) ? '[]' : '';
      for (const key of Object.keys(part)) entries += `${key}:${text((part as Record<string, unknown>)[key])},`;
      known = numbers.size;
      numbers.set(part, known);
      parts.push(`${known}=${entries}`);
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
