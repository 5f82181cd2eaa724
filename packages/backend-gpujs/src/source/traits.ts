import type { GpujsMode } from '../options.ts';

/** What a mode of gpu.js can do. */
export interface Traits {
  /** That a launch may read. */
  readonly mostArrays: number;
  /** Whether a thread may return four numbers. */
  readonly byFours: boolean;
  /** Whether it is faster when loops are unrolled in the source. */
  readonly unrolls: boolean;
}

export function traitsOf(mode: GpujsMode): Traits {
  return { mostArrays: mode === 'webgpu' ? 7 : 14, byFours: mode !== 'cpu', unrolls: mode === 'webasm' };
}
