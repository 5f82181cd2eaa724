import type { DType } from '@evenkeel/tensor';
import { scalarType, shapeOf } from './arithmetic.ts';
import type { LaneOp, PlainOp } from './encoder.ts';
import type { LoopBuilder } from './loop-builder.ts';
import type { Value } from './loop-values.ts';

/**
 * Moves between one element and vectors: of four, or of two where float64 takes part; then elements of 32 bits are in the
 * lower half. A vector of bools has all 32 bits of a lane set for true; a single bool is 1 or 0.
 */
export class Vectors {
  readonly lanes: number;
  readonly #builder: LoopBuilder;

  constructor(builder: LoopBuilder, lanes: number) {
    this.#builder = builder;
    this.lanes = lanes;
  }

  /** The same element in all lanes; vectors as they are. */
  splat(value: Value, dtype: DType): Value {
    if (value.type === 'v128') return value;
    const builder = this.#builder;
    const number = dtype === 'bool' ? builder.op('i32.sub', builder.i32(0), value) : value;
    const type = number.type as 'i32' | 'f32' | 'f64';
    if (number.form.kind === 'number') return builder.splat(type, number.form.value);
    return builder.op(`${shapeOf[type]}.splat` as PlainOp, number);
  }

  /** One lane of a vector; single elements as they are. */
  extract(value: Value, lane: number, dtype: DType): Value {
    if (value.type !== 'v128') return value;
    const builder = this.#builder;
    const element = builder.lane(`${shapeOf[scalarType(dtype)]}.extract_lane` as LaneOp, lane, value);
    return dtype === 'bool' ? builder.op('i32.and', element, builder.i32(1)) : element;
  }

  /** A vector of elements, one a lane; one element where all are the same. */
  join(elements: readonly Value[], dtype: DType): Value {
    const [first, ...others] = elements as [Value, ...Value[]];
    if (others.every((other) => other === first)) return first;
    const op = `${shapeOf[scalarType(dtype)]}.replace_lane` as LaneOp;
    return others.reduce(
      (vector, element, i) => {
        const part = dtype === 'bool' ? this.#builder.op('i32.sub', this.#builder.i32(0), element) : element;
        return this.#builder.lane(op, i + 1, vector, part);
      },
      this.splat(first, dtype),
    );
  }

  /** Conditions on lanes of `dtype`, as a vector of bools. */
  toBools(mask: Value, dtype: DType): Value {
    if (dtype !== 'float64' || mask.type !== 'v128') return mask;
    return this.#builder.shuffle32(mask, mask, [0, 2, 0, 2]);
  }

  /** A vector of bools as a mask over lanes of `dtype`. */
  maskOf(bools: Value, dtype: DType): Value {
    if (dtype !== 'float64' || bools.type !== 'v128') return bools;
    return this.#builder.shuffle32(bools, bools, [0, 0, 1, 1]);
  }

  /** Computes each lane by itself. */
  each(
    dtype: DType,
    dtypes: readonly DType[],
    operands: readonly Value[],
    compute: (...elements: Value[]) => Value,
  ): Value {
    if (operands.every(({ type }) => type !== 'v128')) return compute(...operands);
    const lanes = Array.from({ length: this.lanes }, (_, lane) => {
      return compute(...operands.map((operand, i) => this.extract(operand, lane, dtypes[i] as DType)));
    });
    return this.join(lanes, dtype);
  }
}
