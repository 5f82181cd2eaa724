import type { InstructionSet } from './emitted-kernel.ts';
import { ModuleBuilder } from './encoder.ts';

/**
 * The widest instructions that run here. `experimental` asks V8 first for what it has behind a flag, for the whole process:
 * fused multiply-add in Node 20.
 */
export function probeInstructions({ experimental = false }: { experimental?: boolean } = {}): InstructionSet {
  if (hasFused()) return 'relaxed';
  const v8 = experimental && typeof process === 'object' ? process.getBuiltinModule?.('node:v8') : undefined;
  v8?.setFlagsFromString('--experimental-wasm-relaxed-simd');
  return hasFused() ? 'relaxed' : 'plain';
}

function hasFused(): boolean {
  const module = new ModuleBuilder();
  const f = module.function({ parameters: ['v128'], results: ['v128'] });
  const [a] = f.parameters as [never];
  f.get(a).get(a).get(a).op('f32x4.relaxed_madd');
  return WebAssembly.validate(module.toBytes());
}
