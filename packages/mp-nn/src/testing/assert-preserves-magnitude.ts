import { developmentMode, Generator, type Shape, setDevelopmentMode } from '@evenkeel/tensor';
import fc from 'fast-check';
import type { CallableLayer, MagnitudeContract, MagnitudeFunction } from './contract.ts';
import { hintFor } from './hint.ts';
import { type DrawSource, drawMeanSquares, drawsAtOnce } from './measure.ts';
import { type MagnitudeMeasurement, type MagnitudeReport, showMeasurement } from './report.ts';
import { type DecisionRule, drawsNeeded, judge, pilotDraws } from './statistics/decision.ts';
import { Sample } from './statistics/sample.ts';

/** A maker of fresh layers: the check then averages over weights too, as initialization intends. */
export interface LayerFactory {
  create(generator: Generator): MagnitudeFunction | CallableLayer;
}

/** What {@link assertPreservesMagnitude} checks. */
export type MagnitudeSubject<Config> = MagnitudeContract<Config> | LayerFactory | MagnitudeFunction | CallableLayer;

/** Options of {@link assertPreservesMagnitude}. */
export interface MagnitudeOptions {
  /** Shape of the input, or an arbitrary of shapes. Needed unless the subject is a contract. */
  readonly inputShape?: Shape | fc.Arbitrary<Shape>;
  /** RMS values other than 1, for a subject without a contract. */
  readonly expected?: { readonly output?: number; readonly inputGradient?: number };
  /** Whether the input gradient is checked too. @defaultValue true */
  readonly backward?: boolean;
  /** Configurations to try. @defaultValue 8; 1 when nothing varies */
  readonly runs?: number;
  /** Whole number from 0 to 2^31 - 1 that repeats a check. @defaultValue a random one */
  readonly seed?: number;
  /** Probability that a right layer fails, for the whole check. @defaultValue 1e-6 */
  readonly falseAlarmRate?: number;
  /** Relative RMS error that is caught. @defaultValue 0.02 */
  readonly detect?: number;
  /** Relative RMS error that is never held against a layer. @defaultValue 0.002 */
  readonly allowance?: number;
  /** Probability that an error of `detect` is caught. @defaultValue 0.999 */
  readonly power?: number;
  /** Draws that a configuration may take. @defaultValue 20,000 */
  readonly maxDraws?: number;
  /** Whether a failing configuration is made smaller before it is reported. @defaultValue true */
  readonly shrink?: boolean;
}

/** One configuration, whatever the subject was. */
interface Trial extends DrawSource {
  readonly expected: readonly number[];
}

class MagnitudeError extends Error {}

/**
 * Checks that a layer preserves magnitude, forward and backward: white unit normal input must give an output, and a
 * white output gradient of RMS 1 an input gradient, of the RMS that the layer's contract states; 1 without one.
 *
 * A contract brings its own configurations (shapes, fan-ins, kernel sizes, parameters), of which `runs` are drawn. A
 * function, a Module or a factory is tried on `inputShape`; give `{ create: (generator) => layer }` where weights are
 * random, so that the check averages over them. Each configuration takes as many independent draws as a 2% error
 * needs to be caught; a right layer fails once in a million checks.
 *
 * @returns what was measured.
 * @throws when a magnitude is off, with the expected and the measured value and its interval, the configuration, the
 * seed, and a hint; when 2% cannot be resolved within `maxDraws`.
 *
 * @example
 * ```ts
 * const linear = { create: (generator: Generator) => new MPLinear(64, 64, { generator }) };
 * await assertPreservesMagnitude(linear, { inputShape: [64, 64] });
 * await assertPreservesMagnitude(mpSilu, { inputShape: [64, 64], expected: { inputGradient: 1.034 } });
 * await assertPreservesMagnitude(mpSumContract, { runs: 1 });
 * ```
 */
export async function assertPreservesMagnitude(
  subject: LayerFactory | MagnitudeFunction | CallableLayer,
  options?: MagnitudeOptions,
): Promise<MagnitudeReport>;
// Apart from the above so that `create: (generator) => ...` has one type for its parameter.
export async function assertPreservesMagnitude<Config>(
  subject: MagnitudeContract<Config>,
  options?: MagnitudeOptions,
): Promise<MagnitudeReport>;
export async function assertPreservesMagnitude<Config>(
  subject: MagnitudeSubject<Config>,
  options: MagnitudeOptions = {},
): Promise<MagnitudeReport> {
  const contract = contractOf(subject, options) as MagnitudeContract<unknown>;
  const varies = isContract(subject) || options.inputShape instanceof fc.Arbitrary;
  const { runs = varies ? 8 : 1, seed = Math.floor(Math.random() * 2 ** 31), shrink = true, backward = true } = options;
  if (!Number.isInteger(runs) || runs < 1) {
    throw new Error(`assertPreservesMagnitude: runs must be a whole number of at least 1, got ${runs}`);
  }
  const measurements: MagnitudeMeasurement[] = [];
  const property = fc.asyncProperty(
    contract.configurations,
    fc.noShrink(fc.integer({ min: 0, max: 2 ** 31 - 1 })),
    async (config, drawSeed) => {
      const { output, inputGradients } = contract.expected(config);
      const trial: Trial = {
        inputShapes: contract.inputShapes(config),
        create: (generator) => contract.create(config, generator),
        backward,
        expected: backward ? [output, ...inputGradients] : [output],
      };
      const rule = ruleOf(options, runs * trial.expected.length);
      const found = await measure(contract.name, config, drawSeed, trial, rule, options.maxDraws ?? 20_000);
      measurements.push(...found);
      const bad = found.find(({ verdict }) => !verdict.passed);
      if (bad !== undefined) throw new MagnitudeError(complaint(contract, bad, trial));
    },
  );
  const details = await quietly(() => fc.check(property, { numRuns: runs, seed, endOnFailure: !shrink }));
  if (!details.failed) return { name: contract.name, seed, measurements };
  const cause = details.errorInstance;
  if (!(cause instanceof MagnitudeError)) throw cause;
  const shrunk = details.numShrinks > 0 ? `, made smaller ${details.numShrinks} times` : '';
  throw new Error(
    `${cause.message}\n  configuration: ${fc.stringify(details.counterexample?.[0])}${shrunk}\n  repeat it with seed: ${seed}${options.runs === undefined ? '' : `, runs: ${runs}`}`,
  );
}

/** Each configuration has plans of its own: no reason to warn of a recompile storm. */
async function quietly<T>(body: () => T | Promise<T>): Promise<T> {
  const mode = developmentMode();
  setDevelopmentMode(false);
  try {
    return await body();
  } finally {
    setDevelopmentMode(mode);
  }
}

function isContract<Config>(subject: MagnitudeSubject<Config>): subject is MagnitudeContract<Config> {
  return typeof subject === 'object' && 'configurations' in subject && 'expected' in subject;
}

/** A contract for any subject: those without one of their own are held to 1. */
function contractOf<Config>(subject: MagnitudeSubject<Config>, options: MagnitudeOptions) {
  if (isContract(subject)) {
    if (options.inputShape !== undefined || options.expected !== undefined) {
      throw new Error(
        `assertPreservesMagnitude: the contract of ${subject.name} fixes shapes and values. Leave inputShape and expected out`,
      );
    }
    return subject;
  }
  const { inputShape, expected = {} } = options;
  if (inputShape === undefined) {
    throw new Error('assertPreservesMagnitude: needs the shape of the input. Pass inputShape, such as [64, 32]');
  }
  const { output = 1, inputGradient = 1 } = expected;
  let name = nameOf(subject);
  const held: MagnitudeContract<Shape> = {
    get name() {
      return name;
    },
    inputLaw: 'independent elements, each N(0, 1)',
    reason: 'a layer without a contract is held to 1',
    biases: [],
    configurations: inputShape instanceof fc.Arbitrary ? inputShape : fc.constant(inputShape),
    inputShapes: (shape) => [shape],
    create: (_, generator) => {
      if (typeof subject === 'function') return subject;
      if ('create' in subject) {
        const layer = subject.create(generator);
        name = nameOf(layer);
        return layer;
      }
      // The layer is the caller's, not ours to dispose of.
      return (...inputs) => subject.call(...inputs);
    },
    expected: () => ({ output, inputGradients: [inputGradient] }),
  };
  return held;
}

function nameOf(subject: LayerFactory | MagnitudeFunction | CallableLayer): string {
  const name = typeof subject === 'function' ? subject.name : subject.constructor.name;
  return name === '' || name === 'Object' ? 'layer' : name;
}

function ruleOf(options: MagnitudeOptions, comparisons: number): DecisionRule {
  const { falseAlarmRate = 1e-6, detect = 0.02, allowance = 0.002, power = 0.999 } = options;
  if (!(allowance >= 0 && allowance < detect)) {
    throw new Error(`assertPreservesMagnitude: allowance ${allowance} must be at least 0 and below detect ${detect}`);
  }
  return { alpha: falseAlarmRate / comparisons, detect, allowance, power };
}

/** Draws until an error of `rule.detect` would show in every quantity, then judges each. */
async function measure(
  name: string,
  config: unknown,
  seed: number,
  trial: Trial,
  rule: DecisionRule,
  maxDraws: number,
): Promise<MagnitudeMeasurement[]> {
  const samples = trial.expected.map(() => new Sample());
  const random = new Generator(seed);
  const step = drawsAtOnce(trial.inputShapes);
  let drawn = 0;
  const drawUpTo = async (count: number): Promise<void> => {
    while (drawn < count) {
      const generators = Array.from({ length: step }, () => random.fork(drawn++));
      for (const row of await drawMeanSquares(trial, generators)) {
        row.forEach((value, index) => {
          samples[index]!.add(value);
        });
      }
    }
  };
  for (let wanted = pilotDraws; drawn < wanted; ) {
    await drawUpTo(wanted);
    wanted = Math.max(...samples.map((sample) => drawsNeeded(sample, rule)));
    if (wanted > maxDraws) {
      throw new Error(
        `assertPreservesMagnitude: ${name} needs ${wanted} draws to resolve ${rule.detect * 100}%, more than maxDraws ${maxDraws}. Use a larger inputShape (a larger batch), or raise maxDraws`,
      );
    }
  }
  return samples.map((sample, index) => {
    const expected = trial.expected[index]!;
    const kind =
      index === 0 ? { quantity: 'output' as const } : { quantity: 'input gradient' as const, input: index - 1 };
    return { config, seed, ...kind, expected, draws: drawn, verdict: judge(sample, expected, rule) };
  });
}

function complaint(contract: MagnitudeContract<unknown>, bad: MagnitudeMeasurement, trial: Trial): string {
  const [shape] = trial.inputShapes;
  const hint = hintFor(bad.verdict.rms / bad.expected, bad.quantity, shape?.slice(1) ?? []);
  return `${contract.name}: ${showMeasurement(bad)}. Hint: ${hint}\n  expected because: ${contract.reason}`;
}
