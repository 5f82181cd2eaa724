import type { Browser, Page } from 'playwright-core';

/** An event of Chromium's traces; times in microseconds. */
interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Of the thread itself: what others do on a busy machine is not in it. */
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

/**
 * Milliseconds of each task of the page's main thread while `use` runs, longest first: of processor time, as the clock would
 * count what other programs do, too. The page must have started workers by then.
 */
export async function mainThreadTasks(browser: Browser, page: Page, use: () => Promise<void>): Promise<number[]> {
  await browser.startTracing(page, { categories: ['toplevel'] });
  let trace: Buffer;
  try {
    await use();
  } finally {
    trace = await browser.stopTracing();
  }
  const { traceEvents: events } = JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] };
  const named = (name: string) => events.filter((event) => event.name === 'thread_name' && event.args.name === name);
  const [worker] = named('DedicatedWorker thread');
  const main = named('CrRendererMain').find(({ pid }) => pid === worker?.pid);
  if (main === undefined) throw new Error('the trace has no process with workers');
  return events
    .filter(({ ph, pid, tid, name }) => ph === 'X' && pid === main.pid && tid === main.tid && name.endsWith('RunTask'))
    .map(({ tdur = 0 }) => tdur / 1000)
    .sort((a, b) => b - a);
}
