import type { Kernel } from '@evenkeel/tensor/kernel';

/** What was made of kernels, found again by equal ones. */
export class ByStructure<T> {
  /** By outline: most kernels are told apart by that. */
  readonly #made = new Map<string, { readonly kernel: Kernel; key?: string; readonly value: T }[]>();

  get(kernel: Kernel): T | undefined {
    const alike = this.#made.get(outlineOf(kernel));
    if (!alike) return undefined;
    const key = structureKey(kernel);
    return alike.find((entry) => {
      entry.key ??= structureKey(entry.kernel);
      return entry.key === key;
    })?.value;
  }

  set(kernel: Kernel, value: T): void {
    const outline = outlineOf(kernel);
    const alike = this.#made.get(outline);
    if (alike) alike.push({ kernel, value });
    else this.#made.set(outline, [{ kernel, value }]);
  }
}

/** Its kind, sizes and operands. */
function outlineOf(kernel: Kernel): string {
  const operands = kernel.operands.map(({ dtype, access }) => `${dtype} ${access}`);
  switch (kernel.kind) {
    case 'row':
      return `row ${kernel.outer} / ${kernel.inner} / ${kernel.stages.map(({ kind }) => kind)}: ${operands}`;
    case 'contraction': {
      const { batch, m, n, k, stores } = kernel;
      return `contraction ${batch} / ${m} / ${n} / ${k} / ${stores.length}: ${operands}`;
    }
    default:
      return `${kernel.kind}: ${operands}`;
  }
}

/** A string that equal kernels share. Shared expressions are written once. */
function structureKey(kernel: Kernel): string {
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
