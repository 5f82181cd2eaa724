import { type DType, type HostArray, type Shape, type Tensor, tensor } from '@evenkeel/tensor';

/** Examples that a {@link DataLoader} draws from. */
export interface Dataset<Batch> {
  /** Number of examples. */
  readonly length: number;
  /** The examples at `indices`, in that order, put together. */
  batch(indices: readonly number[]): Batch | Promise<Batch>;
}

/** All values of one field: row-major, examples along the first axis. */
export interface ArrayField {
  readonly data: HostArray;
  /** `[examples, ...]`. */
  readonly shape: Shape;
  /** @defaultValue the one that `data` holds; bytes are bool */
  readonly dtype?: DType;
}

/**
 * A data set of arrays that lie in memory. A batch of B examples has a tensor `[B, ...]` for each field.
 *
 * @throws when a field's data does not fill its shape, or fields differ in length.
 *
 * @example
 * ```ts
 * const digits = arrayDataset({
 *   images: { data: new Float32Array(1000 * 256), shape: [1000, 1, 16, 16] },
 *   labels: { data: new Int32Array(1000), shape: [1000] },
 * });
 * digits.batch([4, 2]); // { images: [2, 1, 16, 16], labels: [2] }
 * ```
 */
export function arrayDataset<Name extends string>(
  fields: Readonly<Record<Name, ArrayField>>,
): Dataset<Record<Name, Tensor>> {
  const entries = Object.entries(fields) as [Name, ArrayField][];
  const length = entries[0]?.[1].shape[0] ?? 0;
  for (const [name, { data, shape }] of entries) {
    const size = shape.reduce((product, axis) => product * axis, 1);
    if (shape.length === 0 || data.length !== size) {
      throw new Error(`arrayDataset: ${name} of shape [${shape.join(', ')}] needs ${size} values, got ${data.length}`);
    }
    if (shape[0] !== length) {
      throw new Error(`arrayDataset: ${name} has ${shape[0]} examples, ${entries[0]?.[0]} has ${length}`);
    }
  }
  return {
    length,
    batch: (indices) =>
      Object.fromEntries(entries.map(([name, field]) => [name, rows(name, field, indices)])) as Record<Name, Tensor>,
  };
}

function rows(name: string, { data, shape, dtype }: ArrayField, indices: readonly number[]): Tensor {
  const [length, ...rest] = shape as [number, ...number[]];
  const size = length === 0 ? 0 : data.length / length;
  const out = data.slice(0, 0).constructor as new (length: number) => HostArray;
  const gathered = new out(indices.length * size);
  indices.forEach((index, row) => {
    if (!(index >= 0 && index < length)) {
      throw new Error(`arrayDataset: index ${index} is outside of ${name} with ${length} examples`);
    }
    gathered.set(data.subarray(index * size, (index + 1) * size), row * size);
  });
  return tensor(gathered, { shape: [indices.length, ...rest], ...(dtype === undefined ? {} : { dtype }) });
}
