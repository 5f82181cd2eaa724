import type { InstructionSet } from './emitted-kernel.ts';
import { ModuleBuilder } from './encoder.ts';

/** The widest instructions that run here; flags of V8 are not touched. */
export function probeInstructions(): InstructionSet {
  const module = new ModuleBuilder();
  const f = module.function({ parameters: ['v128'], results: ['v128'] });
  const [a] = f.parameters as [never];
  f.get(a).get(a).get(a).op('f32x4.relaxed_madd');
  return WebAssembly.validate(module.toBytes()) ? 'relaxed' : 'plain';
}
