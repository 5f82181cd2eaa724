/** Well-known mistakes by the factor they leave on the RMS. */
const mistakes: readonly (readonly [factor: number, hint: string])[] = [
  [0.5965, 'this is the RMS of a plain SiLU; divide it by 0.596 (mpSilu)'],
  [Math.SQRT2, 'this is a plain sum of two inputs; divide it by sqrt((1 - t)^2 + t^2) (mpSum)'],
  [Math.SQRT1_2, 'this is a plain average of two inputs; divide it by sqrt((1 - t)^2 + t^2) (mpSum)'],
  [0.7616, 'this is a lerp with t = 0.3 left undivided; divide it by sqrt((1 - t)^2 + t^2) (mpSum)'],
  [3, 'the fan-in may leave out the area of a 3x3 kernel; n = in kh kw'],
  [5, 'the fan-in may leave out the area of a 5x5 kernel; n = in kh kw'],
];

/** What probably went wrong, by how far the measured RMS is from the expected one. */
export function hintFor(ratio: number, side: 'output' | 'input gradient', fanIns: readonly number[]): string {
  if (!Number.isFinite(ratio)) return 'look for NaN or infinities in the layer';
  const near = (factor: number): boolean => Math.abs(ratio / factor - 1) < 0.03;
  const known = mistakes.find(([factor]) => near(factor));
  if (known) return known[1];
  const missing = fanIns.find((n) => n > 1 && near(Math.sqrt(n)));
  if (missing) return `the factor is close to sqrt(${missing}); scale weights by 1 / sqrt(fan-in)`;
  if (side === 'input gradient') {
    return 'a layer with `out` outputs and fan-in from `in` inputs has gradients of RMS sqrt(out / in); state it as `expected.inputGradient` if that is meant';
  }
  return 'normalize what the layer learned (normalize), divide by the RMS of what it computes, or state the value as `expected.output` if it is meant';
}
