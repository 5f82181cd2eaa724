export { type WasmOptions, type WasmBackend, wasm } from './backend.ts';
