import type { DType } from '@evenkeel/tensor';
import type { Tile } from './contraction/tile.ts';
import type { InstructionSet } from './emitted-kernel.ts';
import type { ModuleBuilder } from './encoder.ts';
import type { MathFunctions } from './math.ts';
import type { RuntimeFunctions } from './runtime-functions.ts';

/** What kernels share in the module that they are written to. */
export interface KernelContext {
  readonly module: ModuleBuilder;
  readonly runtime: RuntimeFunctions;
  readonly math: MathFunctions;
  readonly instructions: InstructionSet;
  readonly threads: number;
  /** Whether 3 x 3 convolutions may be some ten times less exact, and faster. Changes bits. Default false. */
  readonly tolerant?: boolean;
  /** Sums that contractions keep in registers; changes no bit. Default: the first of `tiles`. */
  readonly tile?: Tile;
  /** Element operations of a chunk; changes no bit. */
  readonly chunkWork?: number | undefined;
}

/** What expressions may refer to in the kernel that holds them. */
export interface KernelSignature {
  readonly operands: readonly { readonly dtype: DType; readonly access: 'in' | 'out' | 'inout' }[];
  readonly arguments: readonly DType[];
}
