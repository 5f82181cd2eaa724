import { bytesPerElement, type DType } from '../types/dtype.ts';
import type { Capabilities } from './backend.ts';

/**
 * Bytes of one element as a backend stores it.
 *
 * @example
 * elementBytes({ elementBytes: { bool: 4 } }, 'bool'); // 4
 * elementBytes({}, 'bool'); // 1
 */
export function elementBytes({ elementBytes: own }: Pick<Capabilities, 'elementBytes'>, dtype: DType): number {
  return own?.[dtype] ?? bytesPerElement(dtype);
}
