import type { Attributes, Node, Op } from './node.ts';

/** Smaller units are whole numbers themselves; this one says that the four words of a double follow. */
const doubleFollows = 0xffff;
const chunk = 8192;

const double = new Float64Array(1);
const words = new Uint16Array(double.buffer);
const vocabulary = new Map<string, number>();

/**
 * Writes numbers and names into a string that can be read in one way only: equal strings mean equal writings. Faster
 * than JSON, for what is written of every node at every run.
 */
export class KeyWriter {
  #units = new Uint16Array(256);
  #length = 0;

  /** A whole number: one character where it is small and not negative. */
  whole(value: number): void {
    if (value >= 0 && value < doubleFollows) this.#push(value);
    else this.real(value);
  }

  wholes(list: readonly number[]): void {
    this.whole(list.length);
    for (let i = 0; i < list.length; i++) this.whole(list[i] as number);
  }

  /** Any number; zeros of both signs differ, NaN equals NaN. */
  real(value: number): void {
    double[0] = value;
    this.#push(doubleFollows);
    for (let i = 0; i < 4; i++) this.#push(words[i] as number);
  }

  /** A word of a closed vocabulary, such as an op: one character. */
  name(word: string): void {
    let number = vocabulary.get(word);
    if (number === undefined) {
      number = vocabulary.size;
      vocabulary.set(word, number);
    }
    this.whole(number);
  }

  /** Any text. */
  text(text: string): void {
    this.whole(text.length);
    for (let i = 0; i < text.length; i++) this.#push(text.charCodeAt(i));
  }

  /** What was written since the last take. */
  take(): string {
    let text = '';
    for (let from = 0; from < this.#length; from += chunk) {
      const part = this.#units.subarray(from, Math.min(this.#length, from + chunk));
      text += String.fromCharCode.apply(null, part as unknown as number[]);
    }
    this.#length = 0;
    return text;
  }

  #push(unit: number): void {
    if (this.#length === this.#units.length) {
      const wider = new Uint16Array(2 * this.#length);
      wider.set(this.#units);
      this.#units = wider;
    }
    this.#units[this.#length++] = unit;
  }
}

type HasAttributes = { [O in Op]: keyof Attributes[O] extends never ? never : O }[Op];
/** Ops whose attributes hold identities or launch arguments: what they mean in a key, its maker knows. */
export type Named = 'constant' | 'buffer' | 'cell' | 'argument' | 'custom' | 'host';

const attributes = {
  iota: (to, { axis }) => to.whole(axis),
  reduce: (to, { kind, axes }) => {
    to.name(kind);
    to.wholes(axes);
  },
  scan: (to, { kind, axis, reverse }) => {
    to.name(kind);
    to.whole(axis);
    to.whole(reverse ? 1 : 0);
  },
  permute: (to, { order }) => to.wholes(order),
  pad: (to, { low, high, value }) => {
    to.wholes(low);
    to.wholes(high);
    to.real(value);
  },
  slice: (to, { start, step }) => {
    to.wholes(start);
    to.wholes(step);
  },
  flip: (to, { axes }) => to.wholes(axes),
  concat: (to, { axis }) => to.whole(axis),
  conv: (to, { stride, padding, dilation, inputDilation, groups, role }) => {
    to.wholes(stride);
    for (const pair of padding) to.wholes(pair);
    to.wholes(dilation);
    to.wholes(inputDilation);
    to.whole(groups);
    to.name(role);
  },
  gather: (to, { axis }) => to.whole(axis),
  scatterAdd: (to, { axis }) => to.whole(axis),
} satisfies { [O in Exclude<HasAttributes, Named>]: (to: KeyWriter, attributes: Attributes[O]) => void };

/** Op, dtype, shape and attributes of a node; not its sources, nor the attributes of {@link Named} ops. */
export function writeStructure(to: KeyWriter, node: Node): void {
  to.name(node.op);
  to.name(node.dtype);
  to.wholes(node.shape);
  const write = (attributes as Partial<Record<Op, (to: KeyWriter, attributes: object) => void>>)[node.op];
  write?.(to, node.attributes);
}
