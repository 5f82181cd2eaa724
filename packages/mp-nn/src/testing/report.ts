import type { Verdict } from './statistics/decision.ts';

/** One magnitude of one configuration, measured. */
export interface MagnitudeMeasurement {
  /** The configuration, as drawn. */
  readonly config: unknown;
  /** Seed of its weights and inputs. */
  readonly seed: number;
  readonly quantity: 'output' | 'input gradient';
  /** Which input a gradient belongs to. */
  readonly input?: number;
  readonly expected: number;
  readonly draws: number;
  readonly verdict: Verdict;
}

/** What {@link assertPreservesMagnitude} measured. */
export interface MagnitudeReport {
  readonly name: string;
  /** Seed that repeats the whole check. */
  readonly seed: number;
  readonly measurements: readonly MagnitudeMeasurement[];
}

/** `1.0503 ± 0.0061`. */
function showInterval({ rms, interval: [low, high] }: Verdict): string {
  return `${rms.toPrecision(5)} ± ${((high - low) / 2).toPrecision(2)}`;
}

/** `output RMS is 0.5961 ± 0.0042 over 40 draws, should be 1 (40% low)`. */
export function showMeasurement({ quantity, input, expected, verdict, draws }: MagnitudeMeasurement): string {
  const which = input === undefined || input === 0 ? quantity : `${quantity} ${input + 1}`;
  const ratio = verdict.rms / expected;
  const off =
    ratio > 0.5 && ratio < 2
      ? `${Number((Math.abs(ratio - 1) * 100).toPrecision(2))}% ${ratio < 1 ? 'low' : 'high'}`
      : `${Number(ratio.toPrecision(3))} times that`;
  return `${which} RMS is ${showInterval(verdict)} over ${draws} draws, should be ${Number(expected.toPrecision(5))} (${off})`;
}
