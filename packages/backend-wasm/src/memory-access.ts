import type { DType } from '@evenkeel/tensor';
import type { Linear, LinearGuard } from '@evenkeel/tensor/kernel';
import type { MemoryLaneOp, MemoryOp, PlainOp } from './encoder.ts';
import type { Indices } from './indices.ts';
import type { LoopBuilder } from './loop-builder.ts';
import type { Value } from './loop-values.ts';
import type { Vectors } from './vectors.ts';

/** An element in memory, or one for each lane. */
export interface Element {
  readonly dtype: DType;
  readonly address: Value;
  readonly isWritten: boolean;
  /** Its number, by lane. */
  readonly lanes: readonly Linear[];
  /** By lane: reads 0 where one fails. */
  readonly guards: readonly (readonly LinearGuard[])[];
}

const loads: Record<DType, MemoryOp> = {
  float16: 'f32.load',
  float32: 'f32.load',
  float64: 'f64.load',
  int32: 'i32.load',
  uint32: 'i32.load',
  bool: 'i32.load8_u',
};

const bytesOf = (dtype: DType): number => (dtype === 'bool' ? 1 : dtype === 'float64' ? 8 : 4);

/** Loads and stores of elements: together where lanes are neighbours, once where they are the same, else one by one. */
export class MemoryAccess {
  readonly #indices: Indices;
  readonly #vectors: Vectors;
  readonly #builder: LoopBuilder;

  constructor(indices: Indices, vectors: Vectors) {
    this.#indices = indices;
    this.#builder = indices.builder;
    this.#vectors = vectors;
  }

  read(element: Element): Value {
    const { dtype, lanes, guards } = element;
    const conditions = guards.map((guard) => this.#indices.conjunction(guard));
    const isCommon = conditions.every((condition) => condition === conditions[0]);
    const steps = this.#indices.steps(lanes);
    if (isCommon && steps?.every((step) => step === 0)) return this.#readOne(element, 0, conditions[0]);
    if (isCommon && isSequence(steps)) return this.#readVector(element, conditions[0]);
    return this.#vectors.join(
      lanes.map((_, lane) => this.#readOne(element, lane, conditions[lane])),
      dtype,
    );
  }

  /** Writes a value to one element, or a vector to one for each lane. */
  write(element: Element, value: Value): void {
    const { dtype, lanes } = element;
    const builder = this.#builder;
    if (lanes.length === 1) {
      const { address, offset } = this.#place(element, 0);
      builder.store(
        loads[dtype].replace('load8_u', 'store8').replace('load', 'store') as MemoryOp,
        address,
        value,
        offset,
      );
      return;
    }
    const vector = this.#stored(this.#vectors.splat(value, dtype), dtype);
    const bits = 8 * bytesOf(dtype);
    if (isSequence(this.#indices.steps(lanes))) {
      const { address, offset } = this.#place(element, 0);
      const all = bits * lanes.length;
      if (all === 128) builder.store('v128.store', address, vector, offset);
      else builder.storeLane(`v128.store${all}_lane` as MemoryLaneOp, 0, address, vector, offset);
      return;
    }
    lanes.forEach((_, lane) => {
      const { address, offset } = this.#place(element, lane);
      builder.storeLane(`v128.store${bits}_lane` as MemoryLaneOp, lane, address, vector, offset);
    });
  }

  /** An index as an int32. */
  indexValue(lanes: readonly Linear[]): Value {
    const builder = this.#builder;
    const steps = this.#indices.steps(lanes);
    const values = (): Value[] => lanes.map((lane) => this.#indices.value(lane));
    if (!steps) return this.#vectors.join(values(), 'int32');
    const [first] = lanes as [Linear];
    if (steps.every((step) => step === 0)) return this.#indices.value(first);
    // The constant goes to the lanes: neighbouring vectors then differ by a constant vector alone.
    const { space } = this.#indices;
    const start = this.#indices.value(space.add(first, space.literal(-first.constant)));
    const ahead = Array.from({ length: 4 }, (_, lane) => first.constant + (steps[lane] ?? 0));
    return builder.op('i32x4.add', this.#vectors.splat(start, 'int32'), builder.lanes(...ahead));
  }

  /** The condition that all guards hold: one for all lanes or a vector; undefined where they always do. */
  condition(guards: Element['guards']): Value | undefined {
    const conditions = guards.map((guard) => this.#indices.conjunction(guard));
    if (conditions.every((condition) => condition === undefined)) return undefined;
    const [affine] = guards[0]?.length === 1 ? guards[0] : [];
    if (affine?.kind === 'range' && affine.from < affine.to && guards.length > 1) {
      const lanes = guards.map(([guard]) => (guard as LinearGuard).index);
      const shift = this.#indices.space.literal(-affine.from);
      const inside = this.indexValue(lanes.map((lane) => this.#indices.space.add(lane, shift)));
      const size = this.#builder.i32(affine.to - affine.from);
      if (inside.type !== 'v128') return this.#builder.op('i32.lt_u', inside, size);
      return this.#builder.op('i32x4.lt_u', inside, this.#vectors.splat(size, 'int32'));
    }
    return this.#vectors.join(
      conditions.map((condition) => condition ?? this.#builder.i32(1)),
      'bool',
    );
  }

  #readOne(element: Element, lane: number, guard: Value | undefined): Value {
    const { dtype, isWritten } = element;
    const { address, offset } = this.#place(element, lane);
    return this.#builder.load(loads[dtype], address, { offset, guard, volatile: isWritten });
  }

  #readVector(element: Element, guard: Value | undefined): Value {
    const builder = this.#builder;
    const { dtype, isWritten } = element;
    const { address, offset } = this.#place(element, 0);
    const options = { offset, guard, volatile: isWritten };
    const bits = 8 * bytesOf(dtype) * element.lanes.length;
    if (dtype !== 'bool') return builder.load(bits === 128 ? 'v128.load' : 'v128.load64_zero', address, options);
    const bytes = builder.load(bits === 32 ? 'v128.load32_zero' : 'v128.load16_splat', address, options);
    const words = builder.op('i32x4.extend_low_i16x8_u', builder.op('i16x8.extend_low_i8x16_u', bytes));
    return builder.op('i32x4.neg', words);
  }

  /** bools become bytes of 1 and 0 in the lowest part of the vector. */
  #stored(vector: Value, dtype: DType): Value {
    if (dtype !== 'bool') return vector;
    const builder = this.#builder;
    const ones = builder.op('v128.and', vector, builder.lanes(1, 1, 1, 1));
    const narrow = (op: PlainOp, value: Value): Value => builder.op(op, value, value);
    return narrow('i8x16.narrow_i16x8_u', narrow('i16x8.narrow_i32x4_u', ones));
  }

  /** Where an element is. A constant part goes to the instruction if the rest cannot be negative. */
  #place({ dtype, address, lanes }: Element, lane: number): { address: Value; offset: number } {
    const { space } = this.#indices;
    const bytes = space.mul(lanes[lane] as Linear, bytesOf(dtype));
    const rest = space.add(bytes, space.literal(-bytes.constant));
    const offset = bytes.constant > 0 && rest.min >= 0 ? bytes.constant : 0;
    return { address: this.#indices.value(offset > 0 ? rest : bytes, address), offset };
  }
}

function isSequence(steps: readonly number[] | undefined): boolean {
  return steps?.every((step, lane) => step === lane) ?? false;
}
