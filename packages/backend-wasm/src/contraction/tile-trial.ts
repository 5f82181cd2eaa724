import type { InstructionSet } from '../emitted-kernel.ts';
import { ModuleBuilder } from '../encoder.ts';
import { multiplication, productOperands } from './micro-kernel.ts';
import type { Tile } from './tile.ts';

const DEPTH = 128;
/** Where operands and sums are, in floats. */
const [ROWS, COLUMNS, SUMS] = [0, 1024, 4096];
/** Products that are timed together: some microseconds. */
const PRODUCTS = 5;

/** A product of whole numbers with one tile, in the nearest cache, as a module of its own. */
export interface TileTrial {
  readonly tile: Tile;
  /** Milliseconds for so many multiply-adds, once. Take the least of many: others are at work too. */
  time(): number;
  readonly multiplyAdds: number;
  /** The memory in which operands and sums are. */
  readonly numbers: Float32Array;
}

/** `salt` makes the module's bytes differ from those of other trials: an engine finds again what it has compiled before. */
export function tileTrial(tile: Tile, instructions: InstructionSet, salt = 0): TileTrial {
  const module = new ModuleBuilder();
  module.importMemory({ module: 'trial', name: 'memory', initial: 1, maximum: 1, shared: false });
  module.global('i32', salt);
  const product = multiplication(module, { tile, instructions, rowCounts: [tile.rows] });
  const f = module.function({ parameters: [] }, 'run');
  const operands = productOperands({
    rows: 4 * ROWS,
    columns: 4 * COLUMNS,
    sums: 4 * SUMS,
    rowCount: tile.rows,
    columnPanels: 1,
    depth: DEPTH,
    rowPanel: 0,
    columnPanel: 0,
    sumRow: 4 * tile.columns,
    isFirst: 1,
  });
  for (const operand of operands) f.i32(operand);
  f.call(product);
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const numbers = new Float32Array(memory.buffer);
  for (let i = 0; i < SUMS; i++) numbers[i] = ((i * 7) % 13) - 6;
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.toBytes()), { trial: { memory } });
  const run = instance.exports.run as () => void;
  run();
  return {
    tile,
    time: () => {
      const start = performance.now();
      for (let i = 0; i < PRODUCTS; i++) run();
      return performance.now() - start;
    },
    multiplyAdds: PRODUCTS * DEPTH * tile.rows * tile.columns,
    numbers,
  };
}

/** Whether the sums of a trial are right: those of whole numbers are exact. */
export function isRight({ tile, numbers }: TileTrial): boolean {
  const at = (i: number): number => numbers[i] as number;
  for (let row = 0; row < tile.rows; row++) {
    for (let column = 0; column < tile.columns; column++) {
      let sum = 0;
      for (let k = 0; k < DEPTH; k++) sum += at(ROWS + k * tile.rows + row) * at(COLUMNS + k * tile.columns + column);
      if (at(SUMS + row * tile.columns + column) !== sum) return false;
    }
  }
  return true;
}
