export { type WasmBackend, wasm } from './backend.ts';
export type { Tile } from './contraction/tile.ts';
export type { InstructionSet } from './emitted-kernel.ts';
export type { WasmOptions } from './options.ts';
export type { Tuning } from './tuning.ts';
