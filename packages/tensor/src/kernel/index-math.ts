import type { Guard, Index } from './ir.ts';

/**
 * Exact arithmetic on indices: every value is a sum of whole multiples of atoms plus a constant, with known bounds.
 * Equal sums are one object, so comparing two indices is `===`. Reshapes, slices and pads compose into short forms
 * here: `((i * 4 + j) floorDiv 4)` is `i` when `j` is in `0 ... 3`.
 */
export interface Linear {
  readonly id: number;
  readonly terms: readonly Term[];
  readonly constant: number;
  readonly min: number;
  readonly max: number;
}

interface Term {
  readonly atom: Atom;
  readonly factor: number;
}

type Atom = { readonly id: number; readonly min: number; readonly max: number } & (
  | { readonly kind: 'axis'; readonly axis: number }
  | { readonly kind: 'floorDiv' | 'mod'; readonly base: Linear; readonly by: number }
  | { readonly kind: 'load'; readonly operand: number; readonly base: Linear; readonly guards: readonly LinearGuard[] }
);

/** A guard before it is emitted. */
export type LinearGuard =
  | { readonly kind: 'range'; readonly index: Linear; readonly from: number; readonly to: number }
  | { readonly kind: 'multiple'; readonly index: Linear; readonly of: number };

/** Where a loop axis of an index space goes in the kernel: several adjacent axes may become one. */
export interface AxisTarget {
  readonly axis: number;
  /** False when a merged neighbour carries this axis. */
  readonly carries: boolean;
}

/**
 * The indices over one kernel's loop axes.
 *
 * @example
 * const space = new IndexSpace();
 * const [i, j] = [space.addAxis(3), space.addAxis(4)];
 * const flat = space.dot([i, j], [4, 1]); // { min: 0, max: 11 }
 * space.floorDiv(flat, 4) === i; // true
 * space.mod(flat, 4) === j; // true
 */
export class IndexSpace {
  /** Sizes of the loop axes. */
  readonly sizes: number[] = [];
  /** By hash: short lists, compared whole. */
  readonly #linears = new Map<number, Linear[]>();
  #linearCount = 0;
  readonly #atoms = new Map<string, Atom>();
  readonly #emitted = new Map<Linear, Index>();
  #targets: readonly AxisTarget[] | undefined;
  #isDeferred = false;

  /** A new loop axis, 0 ... size - 1. An axis of size 1 is the constant 0. */
  addAxis(size: number): Linear {
    const axis = this.sizes.length;
    this.sizes.push(size);
    if (size === 1) return this.literal(0);
    return this.#ofAtom(this.#atom(`a${axis}`, { kind: 'axis', axis, min: 0, max: Math.max(0, size - 1) }));
  }

  literal(value: number): Linear {
    return this.#linear([], value);
  }

  add(left: Linear, right: Linear): Linear {
    if (right.terms.length === 0 && right.constant === 0) return left;
    if (left.terms.length === 0 && left.constant === 0) return right;
    return this.#rejoin(mergedTerms(left.terms, right.terms), left.constant + right.constant);
  }

  mul(left: Linear, by: number): Linear {
    if (by === 0) return this.literal(0);
    if (by === 1) return left;
    return this.#linear(scaledTerms(left.terms, by), left.constant * by);
  }

  /** Sum of `indices[i] * strides[i]`. */
  dot(indices: readonly Linear[], strides: readonly number[]): Linear {
    let terms: readonly Term[] = [];
    let constant = 0;
    for (let i = 0; i < indices.length; i++) {
      const index = indices[i] as Linear;
      const stride = strides[i] as number;
      if (stride === 0) continue;
      terms = mergedTerms(terms, scaledTerms(index.terms, stride));
      constant += index.constant * stride;
    }
    return this.#rejoin(terms, constant);
  }

  floorDiv(left: Linear, by: number): Linear {
    if (by === 1) return left;
    const { whole, rest } = this.#split(left, by);
    if (rest.min >= 0 && rest.max < by) return whole;
    const scale = commonFactor(rest, by);
    if (scale > 1) {
      const reduced = this.#divideExactly(rest, scale);
      return this.add(whole, this.floorDiv(reduced, by / scale));
    }
    const nested = rest.terms.length === 1 && rest.constant === 0 ? rest.terms[0] : undefined;
    if (nested && nested.factor === 1 && nested.atom.kind === 'floorDiv') {
      return this.add(whole, this.floorDiv(nested.atom.base, nested.atom.by * by));
    }
    const bounds = { min: Math.floor(rest.min / by), max: Math.floor(rest.max / by) };
    if (bounds.min === bounds.max) return this.add(whole, this.literal(bounds.min));
    const atom = this.#atom(`d${rest.id}/${by}`, { kind: 'floorDiv', base: rest, by, ...bounds });
    return this.add(whole, this.#ofAtom(atom));
  }

  mod(left: Linear, by: number): Linear {
    if (by === 1) return this.literal(0);
    const { rest } = this.#split(left, by);
    if (rest.min >= 0 && rest.max < by) return rest;
    const scale = commonFactor(rest, by);
    if (scale > 1) {
      const reduced = this.#divideExactly(rest, scale);
      const offset = this.literal(rest.constant - Math.floor(rest.constant / scale) * scale);
      return this.add(this.mul(this.mod(reduced, by / scale), scale), offset);
    }
    const quotient = Math.floor(rest.min / by);
    if (quotient === Math.floor(rest.max / by)) return this.add(rest, this.literal(-quotient * by));
    return this.#ofAtom(this.#atom(`m${rest.id}%${by}`, { kind: 'mod', base: rest, by, min: 0, max: by - 1 }));
  }

  /** An element of an integer operand; its value lies in `min ... max` wherever the guards of its use hold. */
  load(operand: number, base: Linear, guards: readonly LinearGuard[], bounds: { min: number; max: number }): Linear {
    const key = `l${operand}[${base.id}]${guardsKey(guards)}:${bounds.min}:${bounds.max}`;
    return this.#ofAtom(this.#atom(key, { kind: 'load', operand, base, guards, ...bounds }));
  }

  /** Row-major position `linear` as indices into `shape`. */
  unravel(linear: Linear, shape: readonly number[]): Linear[] {
    const indices = new Array<Linear>(shape.length);
    let rest = linear;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const size = shape[axis] as number;
      if (size <= 1) {
        indices[axis] = this.literal(0);
        continue;
      }
      // The outermost axis that is left holds all of the rest: no modulo needed.
      const isFirst = shape.slice(0, axis).every((outer) => outer === 1);
      indices[axis] = isFirst ? rest : this.mod(rest, size);
      rest = this.floorDiv(rest, size);
    }
    return indices;
  }

  /** The kernel form of an index; the same object for the same index. */
  emit(linear: Linear): Index {
    const known = this.#emitted.get(linear);
    if (known) return known;
    const emitted = this.#isDeferred ? this.#blank(linear) : this.#emitSum(linear);
    this.#emitted.set(linear, emitted);
    return emitted;
  }

  /** What is emitted from now on stays blank until {@link retarget}: which axes merge is known when all indices are. */
  defer(): void {
    this.#isDeferred = true;
  }

  emitGuard(guard: LinearGuard): Guard {
    const index = this.emit(guard.index);
    return guard.kind === 'range'
      ? { kind: 'range', index, from: guard.from, to: guard.to }
      : { kind: 'multiple', index, of: guard.of };
  }

  /** Every index that was emitted. */
  get used(): Iterable<Linear> {
    return this.#emitted.keys();
  }

  /** Fixes the kernel's axis numbers (and merged axes) for all that was deferred and all that is emitted from now on. */
  retarget(targets: readonly AxisTarget[]): void {
    this.#targets = targets;
    if (!this.#isDeferred) this.#emitted.clear();
    for (const [linear, blank] of this.#emitted) Object.assign(blank, this.#emitSum(linear));
    this.#isDeferred = false;
  }

  /** To be written later; the sums within are used as well. */
  #blank({ terms }: Linear): Index {
    for (const { atom } of terms) {
      if (atom.kind === 'axis') continue;
      this.emit(atom.base);
      if (atom.kind === 'load') for (const guard of atom.guards) this.emit(guard.index);
    }
    return {} as Index;
  }

  #emitSum(linear: Linear): Index {
    let sum: Index | undefined;
    for (const { atom, factor } of linear.terms) {
      if (atom.kind === 'axis' && this.#targets && !this.#targets[atom.axis]?.carries) continue;
      const base = this.#emitAtom(atom);
      const term: Index = factor === 1 ? base : { kind: 'mul', left: base, by: factor };
      sum = sum ? { kind: 'add', left: sum, right: term } : term;
    }
    if (!sum) return { kind: 'literal', value: linear.constant };
    if (linear.constant === 0) return sum;
    return { kind: 'add', left: sum, right: { kind: 'literal', value: linear.constant } };
  }

  #emitAtom(atom: Atom): Index {
    switch (atom.kind) {
      case 'axis':
        return { kind: 'axis', axis: this.#targets?.[atom.axis]?.axis ?? atom.axis };
      case 'load':
        return {
          kind: 'load',
          operand: atom.operand,
          index: this.emit(atom.base),
          guards: atom.guards.map((guard) => this.emitGuard(guard)),
        };
      default:
        return { kind: atom.kind, left: this.emit(atom.base), by: atom.by };
    }
  }

  #atom(key: string, content: DistributiveOmit<Atom, 'id'>): Atom {
    let atom = this.#atoms.get(key);
    if (!atom) {
      atom = { id: this.#atoms.size, ...content } as Atom;
      this.#atoms.set(key, atom);
    }
    return atom;
  }

  #ofAtom(atom: Atom): Linear {
    return this.#linear([{ atom, factor: 1 }], 0);
  }

  /** @param terms by atom, without factors of 0. */
  #linear(terms: readonly Term[], constant: number): Linear {
    let hash = constant | 0;
    for (let i = 0; i < terms.length; i++) {
      const { atom, factor } = terms[i] as Term;
      hash = Math.imul(Math.imul(hash ^ atom.id, 0x9e3779b1) ^ (factor | 0), 0x85ebca6b);
    }
    let bucket = this.#linears.get(hash);
    if (!bucket) {
      bucket = [];
      this.#linears.set(hash, bucket);
    }
    for (const known of bucket) if (known.constant === constant && sameTerms(known.terms, terms)) return known;
    let [min, max] = [constant, constant];
    for (const { atom, factor } of terms) {
      min += factor * (factor > 0 ? atom.min : atom.max);
      max += factor * (factor > 0 ? atom.max : atom.min);
    }
    const linear = { id: this.#linearCount++, terms, constant, min, max };
    bucket.push(linear);
    return linear;
  }

  /** Puts `(x floorDiv d) * d + x mod d` together again. */
  #rejoin(terms: readonly Term[], constant: number): Linear {
    for (const { atom, factor } of terms) {
      if (atom.kind !== 'mod') continue;
      const [only, ...others] = this.floorDiv(atom.base, atom.by).terms;
      const quotient = only?.factor === 1 && others.length === 0 ? only.atom : undefined;
      if (!quotient || !terms.some((term) => term.atom === quotient && term.factor === factor * atom.by)) continue;
      const rest = terms.filter((term) => term.atom !== atom && term.atom !== quotient);
      return this.add(this.#linear(rest, constant), this.mul(atom.base, factor));
    }
    return this.#linear(terms, constant);
  }

  /** left = whole * by + rest, with all that `by` divides in `whole`. */
  #split(left: Linear, by: number): { whole: Linear; rest: Linear } {
    const whole: Term[] = [];
    const rest: Term[] = [];
    for (const { atom, factor } of left.terms) {
      if (factor % by === 0) whole.push({ atom, factor: factor / by });
      else rest.push({ atom, factor });
    }
    const quotient = Math.floor(left.constant / by);
    return { whole: this.#linear(whole, quotient), rest: this.#linear(rest, left.constant - quotient * by) };
  }

  /** floor(linear / by) for a `by` that divides every factor. */
  #divideExactly(linear: Linear, by: number): Linear {
    const terms = linear.terms.map(({ atom, factor }) => ({ atom, factor: factor / by }));
    return this.#linear(terms, Math.floor(linear.constant / by));
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** The sum of two lists that are in the order of their atoms; what cancels is left out. */
function mergedTerms(a: readonly Term[], b: readonly Term[]): readonly Term[] {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const merged: Term[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const [left, right] = [a[i], b[j]];
    if (left && (!right || left.atom.id < right.atom.id)) {
      merged.push(left);
      i++;
    } else if (right && (!left || right.atom.id < left.atom.id)) {
      merged.push(right);
      j++;
    } else if (left && right) {
      const factor = left.factor + right.factor;
      if (factor !== 0) merged.push({ atom: left.atom, factor });
      i++;
      j++;
    }
  }
  return merged;
}

function scaledTerms(terms: readonly Term[], by: number): readonly Term[] {
  return by === 1 ? terms : terms.map(({ atom, factor }) => ({ atom, factor: factor * by }));
}

function sameTerms(a: readonly Term[], b: readonly Term[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    const [left, right] = [a[i] as Term, b[i] as Term];
    if (left.atom !== right.atom || left.factor !== right.factor) return false;
  }
  return true;
}

function gcd(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return Math.abs(a);
}

function commonFactor(linear: Linear, by: number): number {
  return linear.terms.reduce((factor, term) => gcd(factor, term.factor), by);
}

/** A string that equal guard lists share. */
export function guardsKey(guards: readonly LinearGuard[]): string {
  return guards
    .map((guard) =>
      guard.kind === 'range' ? `r${guard.index.id}:${guard.from}:${guard.to}` : `x${guard.index.id}:${guard.of}`,
    )
    .join(';');
}

/**
 * Whether a guard holds at every position.
 *
 * @example
 * const index = new IndexSpace().addAxis(4);
 * alwaysHolds({ kind: 'range', index, from: 0, to: 4 }); // true
 * alwaysHolds({ kind: 'range', index, from: 1, to: 4 }); // false
 */
export function alwaysHolds(guard: LinearGuard): boolean {
  if (guard.kind === 'range') return guard.index.min >= guard.from && guard.index.max < guard.to;
  return (
    guard.of === 1 ||
    (guard.index.terms.every(({ factor }) => factor % guard.of === 0) && guard.index.constant % guard.of === 0)
  );
}

/**
 * The loop axes that an index depends on, also through divisions and loads.
 *
 * @example
 * const space = new IndexSpace();
 * const [i, j] = [space.addAxis(3), space.addAxis(4)];
 * [...axesOf(space.add(i, space.floorDiv(j, 2)))]; // [0, 1]
 */
export function axesOf(linear: Linear, into = new Set<number>()): Set<number> {
  for (const { atom } of linear.terms) {
    if (atom.kind === 'axis') into.add(atom.axis);
    else {
      axesOf(atom.base, into);
      if (atom.kind === 'load') for (const guard of atom.guards) axesOf(guard.index, into);
    }
  }
  return into;
}

/**
 * The factor with which an index uses axis `axis` directly, outside divisions and loads (whose bases are indices of their own).
 *
 * @example
 * const space = new IndexSpace();
 * const [i, j] = [space.addAxis(3), space.addAxis(4)];
 * directFactor(space.dot([i, j], [4, 1]), 0); // 4
 */
export function directFactor(linear: Linear, axis: number): number {
  for (const { atom, factor } of linear.terms) if (atom.kind === 'axis' && atom.axis === axis) return factor;
  return 0;
}
