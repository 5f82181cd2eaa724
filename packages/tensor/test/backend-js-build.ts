import { expect } from 'vitest';
import { compileKernel } from '../src/backend-js/index.ts';
import type { Kernel } from '../src/kernel/ir.ts';
import { runOracle } from '../src/testing/kernel-oracle.ts';
import type { HostArray } from '../src/types/dtype.ts';

export * from '../src/testing/kernel-parts.ts';

/**
 * Runs a kernel printed, interpreted and by the oracle on copies of the operands; all three must agree in every bit
 * (`exact: false`: the oracle within rounding of float32). Outputs start as NaN or garbage.
 */
export function expectAgreement(
  kernel: Exclude<Kernel, { kind: 'host' }>,
  operands: readonly HostArray[],
  { given = [], exact = true, absolute = 1e-37 }: { given?: number[]; exact?: boolean; absolute?: number } = {},
): HostArray[] {
  const copies = (): HostArray[] => {
    return operands.map((operand, i) =>
      kernel.operands[i]?.access === 'out' ? operand.slice().fill(Number.NaN) : operand.slice(),
    );
  };
  const [expected, printed, interpreted] = [copies(), copies(), copies()];
  runOracle(kernel, expected, given);
  compileKernel(kernel, { interpret: false })(printed, Float64Array.from(given));
  compileKernel(kernel, { interpret: true })(interpreted, Float64Array.from(given));
  // + 0: zeros of both signs are one.
  const plain = (arrays: readonly HostArray[]): number[][] =>
    arrays.map((array) => Array.from(array, (value) => value + 0));
  expect(plain(interpreted)).toEqual(plain(printed));
  if (exact) {
    expect(plain(printed)).toEqual(plain(expected));
    return printed;
  }
  printed.forEach((array, i) => {
    array.forEach((value, j) => {
      const wanted = expected[i]?.[j] as number;
      if (Object.is(value + 0, wanted + 0)) return;
      expect(Math.abs(value - wanted), `operand ${i} element ${j}: ${value}, expected ${wanted}`).toBeLessThanOrEqual(
        2 ** -22 * Math.abs(wanted) + absolute,
      );
    });
  });
  return printed;
}
