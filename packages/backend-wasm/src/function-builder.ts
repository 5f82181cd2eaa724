import { ByteWriter } from './byte-writer.ts';
import {
  type LaneOp,
  laneOps,
  type MemoryLaneOp,
  type MemoryOp,
  memoryLaneOps,
  memoryOps,
  type PlainOp,
  plainOps,
} from './opcodes.ts';
import { type FunctionType, typeCodes, type ValueType } from './value-type.ts';

/** A parameter or local variable. */
export interface Local {
  readonly index: number;
  readonly type: ValueType;
}

/** A block or loop that can be branched to: to the end of a block, to the start of a loop. */
export interface Label {
  readonly depth: number;
}

/** Where a function's constants are as globals. */
export interface ConstantPool {
  constant(type: 'i32' | 'f32' | 'f64', value: number): { readonly index: number };
}

/**
 * The body of one function, written in order as for a stack machine: `f.get(a).get(b).op('i32.add').set(c)`. All
 * methods that write give the builder back.
 */
export class FunctionBuilder {
  /** Number among the module's functions, for calls. */
  readonly index: number;
  readonly typeNumber: number;
  readonly parameters: readonly Local[];
  readonly #code = new ByteWriter();
  readonly #locals: ValueType[] = [];
  readonly #free = new Map<ValueType, Local[]>();
  readonly #pool: ConstantPool | undefined;
  #depth = 0;

  constructor(index: number, type: FunctionType, typeNumber: number, pool?: ConstantPool) {
    this.#pool = pool;
    this.index = index;
    this.typeNumber = typeNumber;
    this.parameters = type.parameters.map((parameter, i) => ({ index: i, type: parameter }));
  }

  /** A local variable: a new one (0 at first), or one that was released (with what it held). */
  local(type: ValueType): Local {
    const released = this.#free.get(type)?.pop();
    if (released) return released;
    return { index: this.parameters.length + this.#locals.push(type) - 1, type };
  }

  locals(type: ValueType, count: number): Local[] {
    return Array.from({ length: count }, () => this.local(type));
  }

  /** Lets later code use these locals for something else. */
  release(...locals: readonly Local[]): this {
    for (const local of locals) {
      const list = this.#free.get(local.type) ?? [];
      list.push(local);
      this.#free.set(local.type, list);
    }
    return this;
  }

  get(local: Local): this {
    return this.#numbered(0x20, local.index);
  }

  set(local: Local): this {
    return this.#numbered(0x21, local.index);
  }

  /** Sets and leaves the value on the stack. */
  tee(local: Local): this {
    return this.#numbered(0x22, local.index);
  }

  getGlobal(global: { readonly index: number }): this {
    return this.#numbered(0x23, global.index);
  }

  setGlobal(global: { readonly index: number }): this {
    return this.#numbered(0x24, global.index);
  }

  call(target: { readonly index: number }): this {
    return this.#numbered(0x10, target.index);
  }

  i32(value: number): this {
    this.#code.byte(0x41);
    this.#code.signed(value);
    return this;
  }

  i64(value: bigint): this {
    this.#code.byte(0x42);
    this.#code.signedLong(value);
    return this;
  }

  f32(value: number): this {
    this.#code.byte(0x43);
    this.#code.single(value);
    return this;
  }

  f64(value: number): this {
    this.#code.byte(0x44);
    this.#code.double(value);
    return this;
  }

  /**
   * The same number in all lanes, read from a global. V8 (since Node 24) makes constants anew at each use in a loop; what
   * it has read, it keeps.
   */
  splat(type: 'i32' | 'f32' | 'f64', value: number): this {
    if (this.#pool) this.getGlobal(this.#pool.constant(type, value));
    else this[type](value);
    return this.op(`${type}x${type === 'f64' ? 2 : 4}.splat` as PlainOp);
  }

  /** A vector of 16 bytes. In loops V8 makes constants anew at each use: see `splat`. */
  v128(bytes: ArrayLike<number>): this {
    this.#opcode(plainOps['i8x16.swizzle'] - 2);
    this.#code.append(bytes);
    return this;
  }

  /** The same float32 in four lanes. */
  f32x4(value: number): this {
    return this.v128(new Uint8Array(Float32Array.of(value, value, value, value).buffer));
  }

  /** The same float64 in two lanes. */
  f64x2(value: number): this {
    return this.v128(new Uint8Array(Float64Array.of(value, value).buffer));
  }

  /** Four int32 lanes; one number for all of them. */
  i32x4(...lanes: readonly number[]): this {
    const all = lanes.length === 1 ? new Array<number>(4).fill(lanes[0] as number) : lanes;
    return this.v128(new Uint8Array(Int32Array.from(all).buffer));
  }

  /** An instruction without immediates. */
  op(name: PlainOp): this {
    return this.#opcode(plainOps[name]);
  }

  /** A load, store or atomic at the address on the stack plus `offset`. */
  memory(name: MemoryOp, offset = 0): this {
    const [opcode, alignment] = memoryOps[name];
    return this.#opcode(opcode).#immediates(alignment, offset);
  }

  /** A load or store of one lane. */
  memoryLane(name: MemoryLaneOp, lane: number, offset = 0): this {
    const [opcode, alignment] = memoryLaneOps[name];
    return this.#opcode(opcode).#immediates(alignment, offset).#byte(lane);
  }

  lane(name: LaneOp, lane: number): this {
    return this.#opcode(laneOps[name]).#byte(lane);
  }

  /** Chooses 32-bit lanes from two vectors: 0 to 3 from the first, 4 to 7 from the second. */
  shuffle32(lanes: readonly [number, number, number, number]): this {
    return this.shuffle(lanes.flatMap((lane) => [4 * lane, 4 * lane + 1, 4 * lane + 2, 4 * lane + 3]));
  }

  /** Chooses 16 bytes from two vectors. */
  shuffle(bytes: readonly number[]): this {
    this.#opcode(plainOps['i8x16.swizzle'] - 1);
    this.#code.append(bytes);
    return this;
  }

  /** Target, source, count on the stack. */
  memoryCopy(): this {
    return this.#bytes(0xfc, 10, 0, 0);
  }

  /** Target, byte, count on the stack. */
  memoryFill(): this {
    return this.#bytes(0xfc, 11, 0);
  }

  atomicFence(): this {
    return this.#bytes(0xfe, 3, 0);
  }

  /** A branch to `label` inside the body goes behind it. */
  block(body: (label: Label) => void, result?: ValueType): this {
    return this.#structure(0x02, body, result);
  }

  /** A branch to `label` inside the body goes to its start. */
  loop(body: (label: Label) => void, result?: ValueType): this {
    return this.#structure(0x03, body, result);
  }

  /** The condition is on the stack. */
  if(then: (label: Label) => void, otherwise?: (label: Label) => void, result?: ValueType): this {
    return this.#structure(
      0x04,
      (label) => {
        then(label);
        if (!otherwise) return;
        this.#code.byte(0x05);
        otherwise(label);
      },
      result,
    );
  }

  br(label: Label): this {
    return this.#numbered(0x0c, this.#depth - label.depth);
  }

  brIf(label: Label): this {
    return this.#numbered(0x0d, this.#depth - label.depth);
  }

  /**
   * `for (counter = from; counter < to; counter += step)`; `from` and `to` are numbers or i32 locals. With `atLeastOnce`
   * the first turn is not asked about.
   */
  for(counter: Local, { from = 0, to, step = 1, atLeastOnce }: ForOptions, body: () => void): this {
    this.#number(from).set(counter);
    const known = typeof from === 'number' && typeof to === 'number';
    if (known && from >= to) return this;
    const turns = () =>
      this.loop((again) => {
        body();
        this.get(counter).i32(step).op('i32.add').tee(counter);
        this.#number(to).op('i32.lt_s').brIf(again);
      });
    if (known || atLeastOnce) return turns();
    return this.get(counter).#number(to).op('i32.lt_s').if(turns);
  }

  /** Types of the locals behind the parameters. */
  get localTypes(): readonly ValueType[] {
    return this.#locals;
  }

  /** What has been written so far, without the end. */
  get code(): Uint8Array {
    return this.#code.bytes;
  }

  /** Locals and code, as a module holds them. */
  body(): Uint8Array<ArrayBuffer> {
    const out = new ByteWriter(this.#code.length + 64);
    const groups: { type: ValueType; count: number }[] = [];
    for (const type of this.#locals) {
      const last = groups.at(-1);
      if (last?.type === type) last.count++;
      else groups.push({ type, count: 1 });
    }
    out.unsigned(groups.length);
    for (const { type, count } of groups) {
      out.unsigned(count);
      out.byte(typeCodes[type]);
    }
    out.append(this.#code.bytes);
    out.byte(0x0b);
    return out.bytes;
  }

  #structure(opcode: number, body: (label: Label) => void, result: ValueType | undefined): this {
    this.#code.byte(opcode);
    this.#code.byte(result ? typeCodes[result] : 0x40);
    this.#depth++;
    body({ depth: this.#depth });
    this.#depth--;
    this.#code.byte(0x0b);
    return this;
  }

  #number(value: number | Local): this {
    return typeof value === 'number' ? this.i32(value) : this.get(value);
  }

  #numbered(opcode: number, number: number): this {
    this.#code.byte(opcode);
    this.#code.unsigned(number);
    return this;
  }

  #opcode(opcode: number): this {
    if (opcode <= 0xff) return this.#byte(opcode);
    return this.#numbered(opcode >> 12, opcode & 0xfff);
  }

  #immediates(alignment: number, offset: number): this {
    this.#code.unsigned(alignment);
    this.#code.unsigned(offset);
    return this;
  }

  #byte(value: number): this {
    this.#code.byte(value);
    return this;
  }

  #bytes(...values: readonly number[]): this {
    this.#code.append(values);
    return this;
  }
}

export interface ForOptions {
  readonly from?: number | Local;
  readonly to: number | Local;
  readonly step?: number;
  readonly atLeastOnce?: boolean;
}
