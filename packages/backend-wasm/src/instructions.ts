import type { InstructionSet } from './emitted-kernel.ts';
import { ModuleBuilder } from './encoder.ts';
import { joinsVectors } from './revectorization.ts';

let asked: InstructionSet | undefined;

/**
 * The widest instructions that run here, by trying. `experimental` asks V8 first for what it has behind flags, for the
 * whole process and all modules that are compiled from then on: fused multiply-add in Node 20, and vectors of four joined
 * to vectors of eight in Node 24 and later. Each is used only where its results are right and, for the second, faster.
 */
export function probeInstructions({ experimental = false }: { experimental?: boolean } = {}): InstructionSet {
  if (!experimental) return hasFused() ? 'relaxed' : 'plain';
  // Flags stay set, and modules that were compiled before would be found again as they were: one answer for the process.
  asked ??= askForMore();
  return asked;
}

function askForMore(): InstructionSet {
  const v8 = globalThis.process?.getBuiltinModule?.('node:v8');
  const set = (flag: string): void => v8?.setFlagsFromString(flag);
  // V8 complains of flags that it does not know: those that fuse by themselves know this one.
  if (hasFused()) return v8 && joinsVectors(set) ? 'wide' : 'relaxed';
  set('--experimental-wasm-relaxed-simd');
  return hasFused() ? 'relaxed' : 'plain';
}

function hasFused(): boolean {
  const module = new ModuleBuilder();
  const f = module.function({ parameters: ['v128'], results: ['v128'] });
  const [a] = f.parameters as [never];
  f.get(a).get(a).get(a).op('f32x4.relaxed_madd');
  return WebAssembly.validate(module.toBytes());
}
