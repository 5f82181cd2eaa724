import type { CaseRunner } from '../reference-case.ts';

/** What stands for an infinity in the reference values. */
const infinity = 3e38;

/** Rounding to half precision and back: nearest even, subnormals kept, infinite from 65520 on. */
export const fp16: CaseRunner = async (reference) => {
  const x = await reference.input('x');
  return new Map([['out/y', x.cast('float16').cast(reference.dtype).clip(-infinity, infinity)]]);
};
