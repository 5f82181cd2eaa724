/** Development mode: warnings and call sites for messages. It changes no result. */
let mode: boolean | undefined;
const warned = new Set<string>();
const counts = new Map<string, number>();

interface ProcessLike {
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * Whether development mode is on; by default it is unless NODE_ENV is `production`.
 *
 * @example
 * developmentMode(); // true
 */
export function developmentMode(): boolean {
  mode ??= (globalThis as { process?: ProcessLike }).process?.env?.NODE_ENV !== 'production';
  return mode;
}

/**
 * Turns warnings (shared work computed twice, recompile storms, results never disposed) and the call sites in
 * `StaleReadError` on or off. What was warned of or counted before is forgotten.
 *
 * @example
 * setDevelopmentMode(false);
 */
export function setDevelopmentMode(on: boolean): void {
  mode = on;
  warned.clear();
  counts.clear();
}

/** Prints `message` once a program, in development mode. */
export function warnOnce(topic: string, message: string): void {
  if (!developmentMode() || warned.has(topic)) return;
  warned.add(topic);
  console.warn(`evenkeel: ${message}`);
}

/** How often this was asked of `topic`, this time included. */
export function countOf(topic: string): number {
  const count = (counts.get(topic) ?? 0) + 1;
  counts.set(topic, count);
  return count;
}
