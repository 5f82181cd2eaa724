import { describe, expect, test } from 'vitest';
import { findMistake } from '../src/measure/check.ts';
import { attention } from '../src/work/attention.ts';
import { convolution, convolutionRoles } from '../src/work/convolution.ts';
import { elementwise, elementwiseOperations } from '../src/work/elementwise.ts';
import { inputValues } from '../src/work/input-values.ts';
import { sgemm } from '../src/work/sgemm.ts';
import type { Work } from '../src/work/work.ts';

const small = { batch: 2, inChannels: 3, outChannels: 5, size: 6 };
const works: readonly Work[] = [
  sgemm(7, 5, 11),
  ...convolutionRoles.flatMap((role) => [convolution(role, 3, small), convolution(role, 1, small)]),
  attention(2, 2, 5, 4),
  ...elementwiseOperations.map((operation) => elementwise(operation, [2, 5, 3, 7])),
];

/** The float64 results of the elements that are looked at, rounded to float32; zeros elsewhere. */
function rightResult(work: Work, inputs: readonly Float32Array[]): Float32Array {
  const [length] = work.results as [number];
  const result = new Float32Array(length);
  const count = Math.min(509, length);
  for (let i = 0; i < count; i++) {
    const index = count === 1 ? 0 : Math.floor((i * (length - 1)) / (count - 1));
    result[index] = work.exact?.(inputs, index).value ?? Number.NaN;
  }
  return result;
}

describe.each(works.map((work) => [work.name, work] as const))('the check of %s', (_, work) => {
  const inputs = work.inputs.map(inputValues);
  const right = rightResult(work, inputs);

  test('lets float32 rounding pass', () => {
    expect(findMistake(work, [right], { inputs })).toBeUndefined();
  });

  test('finds a wrong element, wrong input, wrong length, NaN, and a missing result', () => {
    const off = right.slice();
    off[0] = (off[0] as number) + 1e-3 * (work.exact?.(inputs, 0).magnitude ?? 0);
    expect(findMistake(work, [off], { inputs })).toMatch(/^element 0 is .* float64 gives/);
    const others = inputs.map((input, i) => (i === 0 ? input.map((value, j) => value + 0.01 * (j % 3)) : input));
    expect(findMistake(work, [right], { inputs: others })).toMatch(/^element \d+ is/);
    expect(findMistake(work, [right.slice(1)], { inputs })).toMatch(/elements, not/);
    expect(findMistake(work, [right.with(0, Number.NaN)], { inputs })).toBe('result 0 has NaN at 0');
    expect(findMistake(work, [], { inputs })).toMatch(/^gave 0 results/);
  });

  test('finds what differs from our own result where nobody looks', () => {
    const other = right.slice();
    other[other.length >> 1] = 1e3 + (other[other.length >> 1] as number);
    if (right.length > 1) expect(findMistake(work, [right], { inputs, others: [other] })).toMatch(/differs from ours/);
  });
});
