import { isRight as isProduct, tileTrial } from './contraction/tile-trial.ts';

const FLAG = 'experimental-wasm-revectorize';
/** Too many sums for registers of four lanes, and few enough for those of eight: about twice as fast if these are used. */
const TILE = { rows: 6, columns: 16, unroll: 1 };
const FASTER = 0.75;
const RUNS = 100;

/**
 * Makes V8 join neighbouring vectors of four lanes to vectors of eight ("revectorize"). True if that works here: a small
 * product of matrices stays right and becomes faster. Otherwise the flag is taken back.
 */
export function joinsVectors(setFlag: (flag: string) => void, { isRight = isProduct } = {}): boolean {
  // Optimized code at once: what is measured would depend on when it comes.
  setFlag('--no-liftoff');
  const before = tileTrial(TILE, 'wide', 1);
  setFlag(`--${FLAG}`);
  const after = tileTrial(TILE, 'wide', 2);
  setFlag('--liftoff');
  let [slow, fast] = [before.time(), after.time()];
  for (let i = 0; i < RUNS; i++) [slow, fast] = [Math.min(slow, before.time()), Math.min(fast, after.time())];
  const works = fast < FASTER * slow && isRight(after);
  if (!works) setFlag(`--no-${FLAG}`);
  return works;
}
