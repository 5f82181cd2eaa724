import { developmentMode } from './development.ts';

/** Where user code was, captured cheaply: V8 formats a stack only when it is printed. */
export type CallSite = Error;

/** The present call site, in development mode. */
export function captureCallSite(): CallSite | undefined {
  if (!developmentMode()) return undefined;
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 14;
  const site = new Error();
  Error.stackTraceLimit = limit;
  return site;
}

/** Sources of this package, wherever it was put: `.../src/runtime/call-site.ts` or `.../dist/index.js`. */
const own = import.meta.url.replace(/\/runtime\/[^/]*$|\/[^/]*$/, '/').replace(/^file:\/\//, '');

/** `train (/home/me/train.ts:12:5)`: the innermost frame outside this package. */
export function showCallSite(site: CallSite | undefined): string {
  if (site === undefined)
    return developmentMode() ? 'a place no longer recorded' : 'an unknown place (development mode is off)';
  const frames = (site.stack ?? '')
    .split('\n')
    .slice(1)
    .map((line) => line.trim().replace(/^at (async )?/, ''))
    .filter((line) => line !== '' && !line.includes('node:internal'));
  const outside = frames.find((frame) => !frame.includes(own) && !frame.includes('/@evenkeel/'));
  return outside ?? frames.at(-1) ?? 'an unknown place';
}
