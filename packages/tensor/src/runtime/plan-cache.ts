import type { Backend, Executable } from '../kernel/backend.ts';
import type { Program } from '../schedule/canonical.ts';
import { type Schedule, schedule } from '../schedule/schedule.ts';
import { type PlanNeeds, planNeeds } from './budget.ts';
import { type CallSite, showCallSite } from './call-site.ts';
import { countOf, warnOnce } from './development.ts';
import { hostFunctionOf } from './refused-kernel.ts';

/** A program scheduled and compiled for one backend. */
export interface Planned {
  readonly schedule: Schedule;
  readonly executable: Executable;
  /** Asked at every run. */
  readonly needs: PlanNeeds;
}

/** Most plans kept per backend; the least recently used goes first. */
const capacity = 128;
/** Plans from one place in user code before development mode suspects values that should be arguments. */
const stormThreshold = 8;

type PlanCache = Map<string, Promise<Planned>>;

const caches = new WeakMap<Backend, PlanCache>();
/** What the promises in the caches have given. */
const settled = new WeakMap<Promise<Planned>, Planned>();
let made = 0;

/**
 * Plans made so far in this program, on all backends. A loop that repeats itself makes none after its first steps.
 *
 * @example
 * const plans = planCount();
 * for (const rate of [0.1, 0.2, 0.3]) await tensor([1, 2]).mul(rate).data();
 * planCount() - plans; // 1, whatever the rate
 */
export function planCount(): number {
  return made;
}

/** The plan of `program` on `backend`; equal keys, compared whole, share one. */
export function planFor(backend: Backend, program: Program, site: CallSite | undefined): Promise<Planned> {
  let cache = caches.get(backend);
  if (cache === undefined) {
    cache = new Map();
    caches.set(backend, cache);
  }
  const { key } = program;
  const known = cache.get(key);
  if (known !== undefined) {
    cache.delete(key);
    cache.set(key, known);
    return known;
  }
  made++;
  warnOfStorm(site);
  const planned = make(backend, program);
  cache.set(key, planned);
  planned.then(
    (result) => {
      settled.set(planned, result);
      evict(cache);
    },
    () => cache.delete(key),
  );
  return planned;
}

/** The plan of `program`, if `backend` has compiled it. */
export function knownPlan(backend: Backend, { key }: Program): Planned | undefined {
  const planned = caches.get(backend)?.get(key);
  return planned && settled.get(planned);
}

async function make(backend: Backend, program: Program): Promise<Planned> {
  const scheduled = scheduleFor(backend, program);
  const executable = await backend.compile(scheduled.plan);
  return { schedule: scheduled, executable, needs: planNeeds(scheduled.plan, backend, executable) };
}

/** The schedule of `program` as `backend` would run it. */
export function scheduleFor(backend: Backend, program: Program): Schedule {
  return schedule(program, {
    capabilities: backend.capabilities,
    supports: (kernel) => backend.supports(kernel),
    hostFunction: hostFunctionOf,
  });
}

function evict(cache: PlanCache): void {
  while (cache.size > capacity) {
    const [key, oldest] = cache.entries().next().value as [string, Promise<Planned>];
    cache.delete(key);
    oldest.then(
      ({ executable }) => executable.dispose(),
      () => undefined,
    );
  }
}

/** Largest scratch memory of the plans kept for `backend`, in bytes: backends run plans in one arena. */
export function scratchBytes(backend: Backend): number {
  return scratch.get(backend) ?? 0;
}

const scratch = new WeakMap<Backend, number>();

/** Notes that a plan with this much scratch memory runs on `backend`. */
export function noteScratch(backend: Backend, bytes: number): void {
  scratch.set(backend, Math.max(bytes, scratchBytes(backend)));
}

function warnOfStorm(site: CallSite | undefined): void {
  if (site === undefined) return;
  const place = showCallSite(site);
  if (countOf(`plans ${place}`) > stormThreshold) {
    warnOnce(
      `recompile storm ${place}`,
      `more than ${stormThreshold} plans were made at ${place}. Shapes or whole numbers that change at each step are part of a plan: keep shapes fixed, and pass numbers that change as floats`,
    );
  }
}
