import { multiplication, productOperands } from './contraction/micro-kernel.ts';
import { type Tile, tiles } from './contraction/tile.ts';
import type { InstructionSet } from './emitted-kernel.ts';
import { type Local, ModuleBuilder } from './encoder.ts';
import { CHUNK_WORK } from './work-split.ts';

/** What is chosen by measuring. It changes how long kernels take, and no bit of a result. */
export interface Tuning {
  /** The sums that contractions keep in registers. */
  readonly tile: Tile;
  /** Element operations that a chunk of elementwise work has, about. */
  readonly chunkWork: number;
}

/** What can be chosen; the first of each is good everywhere. */
export function choices(instructions: InstructionSet): { tile: readonly Tile[]; chunkWork: readonly number[] } {
  return { tile: tiles[instructions], chunkWork: [CHUNK_WORK, CHUNK_WORK / 2, 2 * CHUNK_WORK] };
}

export function defaultTuning(instructions: InstructionSet): Tuning {
  return { tile: tiles[instructions][0], chunkWork: CHUNK_WORK };
}

/** @throws when a tuning is not among the choices. */
export function checkTuning(tuning: Tuning, instructions: InstructionSet): Tuning {
  const all = choices(instructions);
  const same = ({ rows, columns, unroll }: Tile): boolean =>
    rows === tuning.tile?.rows && columns === tuning.tile.columns && unroll === tuning.tile.unroll;
  if (all.tile.some(same) && all.chunkWork.includes(tuning.chunkWork)) return tuning;
  throw new Error(
    `wasm: tuning is ${JSON.stringify(tuning)}. For '${instructions}' its tile must be one of ${JSON.stringify(all.tile)}, its chunkWork one of ${all.chunkWork.join(', ')}`,
  );
}

/** Another choice must take less than this part of the first one's time: more than noise, less than a tile that spills. */
const FASTER = 0.85;
/** Taking a chunk may cost this part of its work; with other threads at the counter it costs several times as much. */
const TAKING = 0.002;

/** Measures the choices on this thread, for a few milliseconds. */
export async function measureTuning(instructions: InstructionSet): Promise<Tuning> {
  const all = choices(instructions);
  const [tileTrials, chunkTrial] = await Promise.all([
    Promise.all(all.tile.map((tile) => trialOf((module) => writeProduct(module, tile, instructions)))),
    trialOf(writeChunks),
  ]);
  const trials = [...tileTrials, chunkTrial];
  // Engines compile twice, the second time well, in the background and after some work.
  for (const trial of trials) for (const run of trial) shortest(run, 6);
  await new Promise((resolve) => setTimeout(resolve, 2));
  // In turns, so that all of them meet the same moments of a busy machine.
  const times = tileTrials.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < 8; round++) {
    tileTrials.forEach(([product], i) => {
      times[i] = Math.min(times[i] as number, shortest(product as Run, 1));
    });
  }
  const [first] = times as [number];
  const best = times.indexOf(Math.min(...times));
  const tile = all.tile[(times[best] as number) < FASTER * first ? best : 0] as Tile;
  const [taking, working] = chunkTrial.map((run) => shortest(run, 8) / TURNS) as [number, number];
  const enough = [...all.chunkWork].sort((a, b) => a - b).find((work) => taking < TAKING * work * working);
  return { tile, chunkWork: enough ?? Math.max(...all.chunkWork) };
}

type Run = () => void;

/** Milliseconds of the quickest of some runs: what else the machine does only makes them longer. */
function shortest(run: Run, times: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    run();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}

/** A module of its own; its functions `run0`, `run1` ... */
async function trialOf(write: (module: ModuleBuilder) => void): Promise<Run[]> {
  const module = new ModuleBuilder();
  module.importMemory({ module: 'trial', name: 'memory', initial: 2, maximum: 2, shared: false });
  write(module);
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 2 });
  const compiled = await WebAssembly.compile(module.toBytes());
  const { exports } = await WebAssembly.instantiate(compiled, { trial: { memory } });
  return Object.values(exports) as Run[];
}

/** Sizes that every tile divides; what is multiplied stays in the nearest caches. */
const [ROWS, COLUMNS, DEPTH] = [48, 48, 128];
const [ROWS_AT, COLUMNS_AT, SUMS_AT] = [0, 32_768, 65_536];

/** A product of packed panels, all zero: zeros take as long as other numbers. */
function writeProduct(module: ModuleBuilder, tile: Tile, instructions: InstructionSet): void {
  const product = multiplication(module, { tile, instructions, rowCounts: [ROWS] });
  const f = module.function({ parameters: [] }, 'run0');
  const operands = productOperands({
    rows: ROWS_AT,
    columns: COLUMNS_AT,
    sums: SUMS_AT,
    rowCount: ROWS,
    columnPanels: COLUMNS / tile.columns,
    depth: DEPTH,
    rowPanel: 4 * tile.rows * DEPTH,
    columnPanel: 4 * tile.columns * DEPTH,
    sumRow: 4 * COLUMNS,
    isFirst: 1,
  });
  for (const operand of operands) f.i32(operand);
  f.call(product);
}

const TURNS = 2048;

/** `run0` takes as many chunks, `run1` does as many operations. */
function writeChunks(module: ModuleBuilder): void {
  const take = module.function({ parameters: ['i32'], results: ['i32'] });
  take
    .get(take.parameters[0] as Local)
    .i32(1)
    .memory('i32.atomic.rmw.add');
  const taking = module.function({ parameters: [] }, 'run0');
  taking.for(taking.local('i32'), { to: TURNS }, () => taking.i32(0).call(take).op('drop'));
  const working = module.function({ parameters: [] }, 'run1');
  const at = working.local('i32');
  working.for(at, { to: 4 * TURNS, step: 16 }, () => {
    working.get(at).get(at).memory('v128.load').f32x4(1).op('f32x4.add').memory('v128.store');
  });
}
