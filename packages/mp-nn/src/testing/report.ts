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
export function showInterval({ rms, interval: [low, high] }: Verdict): string {
  return `${rms.toPrecision(5)} ± ${((high - low) / 2).toPrecision(2)}`;
}

/** `output RMS is 0.5961 ± 0.0042, should be 1 (41% low)`. */
export function showMeasurement({ quantity, input, expected, verdict, draws }: MagnitudeMeasurement): string {
  const which = input === undefined || input === 0 ? quantity : `${quantity} ${input + 1}`;
  const percent = Math.abs(verdict.rms / expected - 1) * 100;
  const off = `${percent.toPrecision(2)}% ${verdict.rms < expected ? 'low' : 'high'}`;
  return `${which} RMS is ${showInterval(verdict)} over ${draws} draws, should be ${Number(expected.toPrecision(5))} (${off})`;
}
