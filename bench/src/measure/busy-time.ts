import { readdirSync, readFileSync } from 'node:fs';

/**
 * Milliseconds that each thread of this process has spent on a core so far, by thread; undefined where the system does not
 * tell (only Linux does).
 */
export function threadTimes(): ReadonlyMap<string, number> | undefined {
  try {
    return new Map(
      readdirSync('/proc/self/task').map((thread) => {
        const [nanoseconds] = readFileSync(`/proc/self/task/${thread}/schedstat`, 'utf8').split(' ');
        return [thread, Number(nanoseconds) / 1e6];
      }),
    );
  } catch {
    return undefined;
  }
}

/** Milliseconds that the `count` busiest threads but the main one worked between two looks, on average. */
export function busyTime(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
  count: number,
): number {
  const main = String(process.pid);
  const times = [...after]
    .filter(([thread]) => thread !== main)
    .map(([thread, time]) => time - (before.get(thread) ?? 0))
    .sort((a, b) => b - a)
    .slice(0, count);
  return times.reduce((sum, time) => sum + time, 0) / count;
}
