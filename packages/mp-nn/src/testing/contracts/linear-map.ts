/** Weights by which one spatial axis of `inputs` positions goes to the outputs: `matrix[output][input]`. */
export type AxisMatrix = readonly (readonly number[])[];

/** Sum of the squares of all entries. */
export function squaredNorm(matrix: AxisMatrix): number {
  return matrix.reduce((sum, row) => sum + row.reduce((total, entry) => total + entry * entry, 0), 0);
}

/**
 * The matrix of a correlation of one axis with `taps`: output o reads input `o * stride - padding + i` with weight
 * `taps[i]`; what lies outside is zero. `outputs` defaults to all that fit.
 */
export function correlationMatrix(
  inputs: number,
  taps: readonly number[],
  stride: number,
  padding: number,
): number[][] {
  const outputs = Math.floor((inputs + 2 * padding - taps.length) / stride) + 1;
  return Array.from({ length: outputs }, (_, output) => {
    const row = new Array<number>(inputs).fill(0);
    taps.forEach((tap, index) => {
      const position = output * stride - padding + index;
      if (position >= 0 && position < inputs) row[position] = tap;
    });
    return row;
  });
}

/** Rows become columns. */
export function transposed(matrix: AxisMatrix): number[][] {
  const columns = matrix[0]?.length ?? 0;
  return Array.from({ length: columns }, (_, column) => matrix.map((row) => row[column] as number));
}
