import { type DType, type HostArray, type Tensor, tensor, withBackend } from '@evenkeel/tensor';
import { describe, expect, test } from 'vitest';
import { wasm } from '../src/index.ts';
import { probeInstructions } from '../src/instructions.ts';

/** More than a chunk or part holds, and no multiple of vectors. */
const [rows, columns] = [3, 50_021];
const at = (row: number, column: number): number => ((row * columns + column) * 7919) % 13;
const table = Array.from({ length: rows * columns }, (_, i) => at(Math.floor(i / columns), i % columns) - 6);

const rowOf = (row: number): number[] => table.slice(row * columns, (row + 1) * columns);
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const allRows = [0, 1, 2];
const allColumns = Array.from({ length: columns }, (_, column) => allRows.map((row) => table[row * columns + column]!));
const rowSums = allRows.map((row) => sum(rowOf(row)));

/** Whole numbers that every order of sums finds. */
const works: Record<string, { compute: (x: Tensor) => Tensor; wanted: readonly number[] }> = {
  elements: { compute: (x) => x.mul(2).add(1), wanted: table.map((value) => 2 * value + 1) },
  conditions: { compute: (x) => x.greater(0), wanted: table.map((value) => Number(value > 0)) },
  'a whole sum': { compute: (x) => x.sum(), wanted: [sum(table)] },
  'sums of rows': { compute: (x) => x.sum(1), wanted: rowSums },
  'sums of columns': { compute: (x) => x.sum(0), wanted: allColumns.map(sum) },
  'columns less their largest': {
    compute: (x) => x.sub(x.max(0, { keepAxes: true })),
    wanted: table.map((value, i) => value - Math.max(...allColumns[i % columns]!)),
  },
  'rows less their sums': {
    compute: (x) => x.sub(x.sum(1, { keepAxes: true })),
    wanted: table.map((value, i) => value - rowSums[Math.floor(i / columns)]!),
  },
};

describe.each(['plain', 'relaxed', 'wide'] as const)('%s', (instructions) => {
  const canRun = instructions === 'plain' || probeInstructions({ experimental: true }) !== 'plain';
  test.skipIf(!canRun).each(['float32', 'float64', 'int32'] as const)('%s: long rows and columns', async (dtype) => {
    const backend = wasm({ threads: 2, instructions });
    try {
      await withBackend(backend, async () => {
        const x: Tensor<DType> = tensor(table, { shape: [rows, columns], dtype });
        for (const [name, { compute, wanted }] of Object.entries(works)) {
          const got: HostArray = await compute(x).data();
          expect(Array.from(got), name).toEqual(wanted.map((value) => value + 0));
        }
      });
    } finally {
      await backend.dispose();
    }
  });
});
