import type { Tensor } from '@evenkeel/tensor';
import { afterEach, beforeEach } from 'vitest';
import * as leaks from '../src/testing/leak-guard.ts';

/** Every test of the calling file must give back what it makes. */
export function guardLeaks(): void {
  leaks.guardLeaks({ beforeEach, afterEach });
}

/** The values of a tensor as plain numbers. */
export async function list(t: Tensor): Promise<number[]> {
  return Array.from(await t.data());
}
