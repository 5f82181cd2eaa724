export { type WasmBackend, wasm } from './backend.ts';
export type { InstructionSet } from './emitted-kernel.ts';
export type { WasmOptions } from './options.ts';
