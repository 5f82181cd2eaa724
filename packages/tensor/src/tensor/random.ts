import { createNode } from '../graph/primitives.ts';
import { threefry } from '../graph/reference/threefry.ts';
import { hostLeaf } from '../runtime/storage.ts';
import { currentTrace } from '../runtime/trace.ts';
import { type DType, isFloat } from '../types/dtype.ts';
import { type Shape, showShape } from '../types/shape.ts';
import { checkNumber, literal, scalar } from './apply.ts';
import { Tensor } from './tensor.ts';

/** All that a generator is; plain data, for checkpoints. */
export interface GeneratorState {
  /** The key's two 32-bit words. */
  readonly key: readonly [number, number];
  /** Draws so far. */
  readonly draws: number;
}

/** The dtype of what is drawn. */
export interface RandomOptions<D extends DType> {
  /** Default float32. */
  readonly dtype?: D;
}

/** The range of a uniform draw. */
export interface UniformOptions<D extends DType> extends RandomOptions<D> {
  /** Default 0. */
  readonly low?: number;
  /** Default 1; reached only by rounding, never in the default range. */
  readonly high?: number;
}

/** Mean and standard deviation of a normal draw. */
export interface NormalOptions<D extends DType> extends RandomOptions<D> {
  /** Default 0. */
  readonly mean?: number;
  /** Default 1. */
  readonly std?: number;
}

const wordSize = 2 ** 32;

/**
 * A stream of random numbers: Threefry-2x32, counting draws. A draw takes its place in the stream when the tensor is
 * built and computes when it is read: reading twice gives the same numbers, on every backend and with any number of
 * threads. In a compiled function each call draws anew.
 *
 * @example
 * const random = new Generator(42);
 * const noise = random.normal([8, 3, 16, 16]);
 * const again = new Generator(42).normal([8, 3, 16, 16]);
 * await noise.equal(again).all().item(); // 1
 */
export class Generator {
  #key: readonly [number, number] = [0, 0];
  #draws = 0;

  /**
   * @param seed a whole number from 0 to 2^53 - 1, or what `state()` gave.
   * @throws when it is neither.
   */
  constructor(seed: number | GeneratorState) {
    this.restore(typeof seed === 'number' ? { key: keyOf(seed), draws: 0 } : seed);
  }

  /** A generator that goes on where `state()` was taken. `Generator.fromState(random.state())` */
  static fromState(state: GeneratorState): Generator {
    return new Generator(state);
  }

  /** Where the stream stands, as plain data. */
  state(): GeneratorState {
    return { key: [...this.#key], draws: this.#draws };
  }

  /**
   * Goes on where `state()` was taken, of this generator or another. What a compiled function draws from this one follows.
   *
   * @throws when `state` is none.
   */
  restore({ key, draws }: GeneratorState): void {
    if (![...key, draws].every((word) => Number.isInteger(word) && word >= 0 && word < wordSize)) {
      throw new Error(`Generator: key [${key.join(', ')}], draws ${draws} is no state. Use what state() gave`);
    }
    this.#key = [key[0], key[1]];
    this.#draws = draws;
  }

  /** A generator of its own for each name or number, independent of this one's draws. `random.fork('noise')` */
  fork(name: string | number): Generator {
    const child = new Generator(this.#forked(name));
    // A replay forks again: the child starts from the beginning, and with the key that this one has by then.
    currentTrace()?.registerDraw(() => {
      child.restore(this.#forked(name));
      return [];
    }, []);
    return child;
  }

  #forked(name: string | number): GeneratorState {
    const words = typeof name === 'number' ? keyOf(name) : hashName(name);
    // Streams of draws count up from 0 in the second word: the last one is never reached and marks forks.
    const inner = threefry(this.#key, [words[0], wordSize - 1]);
    return { key: threefry(inner, [words[1], wordSize - 1]), draws: 0 };
  }

  /** 32 random bits for each element. `random.bits([4])` */
  bits(shape: Shape): Tensor<'uint32'> {
    if (!Array.isArray(shape) || shape.some((size) => !Number.isInteger(size) || size < 0)) {
      throw new Error(
        `Generator: sizes must be whole numbers of at least 0, got ${Array.isArray(shape) ? showShape(shape) : String(shape)}`,
      );
    }
    const values = [...this.#key, this.#draws++];
    const nodes = values.map((value) => createNode('constant', [], { value, structural: false }, { dtype: 'uint32' }));
    currentTrace()?.registerDraw(() => [...this.#key, this.#draws++], nodes);
    return new Tensor(createNode('randomBits', nodes, {}, { shape }));
  }

  /**
   * Real numbers, equally likely from `low` to below `high`, in steps of 2^-24 of the range (float16: 2^-11).
   * `random.uniform([3], { low: -1 })`
   */
  uniform<D extends DType = 'float32'>(shape: Shape, options: UniformOptions<D> = {}): Tensor<D> {
    const { low = 0, high = 1, dtype = 'float32' as D } = options;
    checkReal('uniform', dtype);
    if (!(low <= high)) throw new Error(`uniform: low must not be above high, got ${low} and ${high}`);
    const unit = this.#unit(shape, dtype, 0);
    return scaled('uniform', unit, high - low, low);
  }

  /** Normally distributed real numbers, by Box and Muller's formula. `random.normal([8, 3, 16, 16])` */
  normal<D extends DType = 'float32'>(shape: Shape, options: NormalOptions<D> = {}): Tensor<D> {
    const { mean = 0, std = 1, dtype = 'float32' as D } = options;
    checkReal('normal', dtype);
    if (!(std >= 0)) throw new Error(`normal: std must be at least 0, got ${std}`);
    if (dtype === 'float16') return this.normal(shape, { mean, std }).cast(dtype);
    // The first is in (0, 1], so that its logarithm is finite.
    const radius = this.#unit(shape, dtype, 1).log().mul(literal(-2, dtype)).sqrt();
    const angle = this.#unit(shape, dtype, 0).mul(literal(2 * Math.PI, dtype));
    return scaled('normal', radius.mul(angle.cos()), std, mean);
  }

  /** Whole numbers, equally likely (up to 2^-32 times the range) from `low` to below `high`. `random.integers(0, 10, [8])` */
  integers(low: number, high: number, shape: Shape): Tensor<'int32'> {
    const range = high - low;
    if (!Number.isInteger(low) || !Number.isInteger(high) || range < 1) {
      throw new Error(`integers: needs whole numbers with low < high, got ${low} and ${high}`);
    }
    checkNumber('integers', low, 'int32', 'Draw a range that fits');
    checkNumber('integers', high - 1, 'int32', 'Draw a range that fits');
    const bits = this.bits(shape);
    return (range === wordSize ? bits : bits.mod(range)).cast('int32').add(low);
  }

  /** The numbers 0 to n - 1 in random order, `[n]`. Shuffled on the host: not for compiled functions. */
  permutation(n: number): Tensor<'int32'> {
    return new Tensor(hostLeaf(this.shuffle(n), [n], 'int32'));
  }

  /**
   * As {@link permutation}, as host values.
   *
   * @throws inside a compiled function, which would freeze the order.
   */
  shuffle(n: number): Int32Array {
    if (currentTrace() !== undefined) {
      throw new Error('permutation: is drawn on the host, a compiled function would freeze it. Give it as an argument');
    }
    if (!Number.isInteger(n) || n < 0) {
      throw new Error(`permutation: needs a whole number of at least 0, got ${n}`);
    }
    const order = Int32Array.from({ length: n }, (_, i) => i);
    const stream = this.#draws++;
    for (let i = n - 1; i > 0; i--) {
      const [word] = threefry(this.#key, [i, stream]);
      const j = Math.floor((word / wordSize) * (i + 1));
      const held = order[i] as number;
      order[i] = order[j] as number;
      order[j] = held;
    }
    return order;
  }

  /** As many random bits as the dtype holds exactly, at most 24, as (bits + offset) / 2^24. */
  #unit<D extends DType>(shape: Shape, dtype: D, offset: 0 | 1): Tensor<D> {
    const kept = dtype === 'float16' ? 11 : 24;
    const high = this.bits(shape).floorDiv(2 ** (32 - kept));
    const counted = offset === 0 ? high : high.add(offset);
    return counted.cast(dtype).mul(literal(2 ** -kept, dtype));
  }
}

function scaled<D extends DType>(where: string, x: Tensor<D>, scale: number, offset: number): Tensor<D> {
  const wide = scale === 1 ? x : x.mul(scalar(where, scale, x.dtype));
  return offset === 0 ? wide : wide.add(scalar(where, offset, x.dtype));
}

function keyOf(seed: number): [number, number] {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new Error(`Generator: a seed is a whole number from 0 to 2^53 - 1, got ${seed}`);
  }
  return [seed % wordSize, Math.floor(seed / wordSize)];
}

/** Mixes a name's characters into two words with the cipher itself. */
function hashName(name: string): [number, number] {
  let state: [number, number] = [name.length, 1];
  for (let i = 0; i < name.length; i++) state = threefry(state, [name.charCodeAt(i), i]);
  return state;
}

function checkReal(where: string, dtype: DType): void {
  if (!isFloat(dtype)) throw new Error(`${where}: draws real numbers, got dtype ${dtype}. Use integers`);
}
