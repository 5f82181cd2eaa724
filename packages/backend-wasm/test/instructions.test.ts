import { describe, expect, it } from 'vitest';
import { probeInstructions } from '../src/instructions.ts';
import { joinsVectors } from '../src/revectorization.ts';

describe('instructions', () => {
  it('are more where flags are asked for, and the same at every asking', () => {
    const order = ['plain', 'relaxed', 'wide'];
    const usual = probeInstructions();
    const asked = probeInstructions({ experimental: true });
    expect(order.indexOf(asked)).toBeGreaterThanOrEqual(order.indexOf(usual));
    // Every engine that has relaxed instructions behind a flag has them now.
    expect(asked).not.toBe('plain');
    expect(probeInstructions({ experimental: true })).toBe(asked);
  });

  it('are not joined where the trial gives wrong sums, whatever the time', () => {
    probeInstructions({ experimental: true });
    const flags: string[] = [];
    const result = joinsVectors((flag) => flags.push(flag), { isRight: () => false });
    expect(result).toBe(false);
    expect(flags.at(-1)).toBe('--no-experimental-wasm-revectorize');
  });
});
