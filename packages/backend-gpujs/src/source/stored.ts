import type { DType } from '@evenkeel/tensor';
import { Refusal } from './refusal.ts';

/** Refuses results that textures of floats do not hold exactly. */
export function refuseStored(dtype: DType): void {
  if (dtype !== 'float32' && dtype !== 'bool') throw new Refusal(`gpu.js stores no ${dtype}`);
}
