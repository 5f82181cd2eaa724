import { type WasmBackend, wasm } from '@evenkeel/backend-wasm';
import { setBackend } from '@evenkeel/tensor';
import { Launches } from './launches.ts';

/** Makes our backend the current one. The process is ours, so it may have what engines keep behind flags. */
export function startBackend(threads: number, instructions: string): { backend: WasmBackend; launches: Launches } {
  const chosen = instructions === 'best' ? {} : { instructions: instructions as WasmBackend['instructions'] };
  const backend = wasm({ threads, experimental: true, ...chosen });
  setBackend(backend);
  return { backend, launches: new Launches(backend) };
}
