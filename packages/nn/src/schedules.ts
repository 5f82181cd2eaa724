/** A number, a learning rate mostly, as a pure function of the position: images or steps seen before this step. */
export type Schedule = (position: number) => number;

/**
 * The same `value` everywhere.
 *
 * @example
 * ```ts
 * const rate = productSchedule(constantSchedule(3e-4), cosineSchedule(10_000));
 * rate(0); // 0.0003
 * rate(5000); // 0.00015
 * ```
 */
export function constantSchedule(value: number): Schedule {
  return () => value;
}

/** Options of {@link linearWarmup}. */
export interface LinearWarmupOptions {
  /** Value at position 0. @defaultValue 0 */
  readonly from?: number;
  /** Value from `length` on. @defaultValue 1 */
  readonly to?: number;
}

/**
 * Rises in a line from `from` at 0 to `to` at `length`, then stays. A length of 0 is no warmup.
 *
 * @throws when the length is negative.
 *
 * @example
 * ```ts
 * const rate = productSchedule(constantSchedule(3e-4), linearWarmup(1000));
 * rate(500); // 0.00015
 * ```
 */
export function linearWarmup(length: number, options: LinearWarmupOptions = {}): Schedule {
  requireLength('linearWarmup', 'length', length, 0);
  const { from = 0, to = 1 } = options;
  return (position) => (position >= length ? to : from + (to - from) * (position / length));
}

/** Options of {@link cosineSchedule}. */
export interface CosineOptions {
  /** Value at position 0. @defaultValue 1 */
  readonly from?: number;
  /** Value from `length` on. @defaultValue 0 */
  readonly to?: number;
}

/**
 * Falls along half a cosine from `from` at 0 to `to` at `length`, then stays (Loshchilov and Hutter 2017, equation 5).
 *
 * @throws when the length is not above 0.
 *
 * @example
 * ```ts
 * cosineSchedule(100)(50); // 0.5
 * ```
 */
export function cosineSchedule(length: number, options: CosineOptions = {}): Schedule {
  requireLength('cosineSchedule', 'length', length, Number.MIN_VALUE);
  const { from = 1, to = 0 } = options;
  return (position) =>
    position >= length ? to : to + ((from - to) * (1 + Math.cos((Math.PI * Math.max(position, 0)) / length))) / 2;
}

/**
 * 1 up to `plateau`, then sqrt(plateau / position) (Karras et al. 2024, equation 67). A plateau of 0 never decays.
 *
 * @throws when the plateau is negative.
 *
 * @example
 * ```ts
 * inverseSquareRootDecay(100)(400); // 0.5
 * ```
 */
export function inverseSquareRootDecay(plateau: number): Schedule {
  requireLength('inverseSquareRootDecay', 'plateau', plateau, 0);
  return (position) => (plateau === 0 ? 1 : 1 / Math.sqrt(Math.max(position / plateau, 1)));
}

/**
 * The product of schedules: a peak value, a warmup and a decay in one.
 *
 * @example
 * ```ts
 * const rate = productSchedule(constantSchedule(0.01), linearWarmup(10), inverseSquareRootDecay(100));
 * rate(5); // 0.005
 * ```
 */
export function productSchedule(...schedules: readonly Schedule[]): Schedule {
  return (position) => schedules.reduce((product, schedule) => product * schedule(position), 1);
}

function requireLength(where: string, name: string, value: number, least: number): void {
  if (!(value >= least))
    throw new Error(`${where}: ${name} must be ${least === 0 ? 'at least' : 'above'} 0, got ${value}`);
}
