import { currentBackend } from '../runtime/backend.ts';
import { memory } from '../runtime/memory.ts';

interface Held {
  readonly path: string;
  readonly bytes: number;
}

/** Owners in `after` beyond those in `before`, by name and size. */
function added(before: readonly Held[], after: readonly Held[]): Held[] {
  const left = before.map(({ path, bytes }) => `${path} ${bytes}`);
  return after.filter(({ path, bytes }) => {
    const at = left.indexOf(`${path} ${bytes}`);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

/**
 * Remembers what cells and pinned results hold now, on the device and waiting on the host; the function it returns
 * throws when they hold more, and names the owners.
 *
 * @example
 * const check = leakGuard(); // before each test
 * const mean = await ones([8]).mean().realize();
 * mean.dispose();
 * await check(); // after each test; without the dispose it throws and says who holds 4 bytes
 */
export function leakGuard(): () => Promise<void> {
  const backend = currentBackend();
  const before = memory();
  return async () => {
    // What was disposed of last is given back in a microtask.
    await Promise.resolve();
    if (currentBackend() !== backend) {
      throw new Error(`leakGuard: the current backend was exchanged for ${currentBackend().name} and not put back`);
    }
    const after = memory();
    const bytes = after.cells + after.pinned + after.host - before.cells - before.pinned - before.host;
    if (bytes <= 0) return;
    const owners = added(before.byOwner, after.byOwner).map((owner) => `${owner.path} (${owner.bytes} bytes)`);
    const who = owners.length > 0 ? owners.join(', ') : 'cells that were never used on a device';
    throw new Error(
      `leakGuard: ${bytes} bytes more than before, held by ${who}. Dispose of them, or hold them with using`,
    );
  };
}

/** What {@link guardLeaks} needs of a test runner; vitest, Jest and `node:test` have them. */
export interface TestHooks {
  beforeEach(run: () => void): unknown;
  afterEach(run: () => Promise<void>): unknown;
}

/**
 * {@link leakGuard} around every test of a file, by the runner's own hooks: `guardLeaks({ beforeEach, afterEach })`.
 *
 * @example
 * import { afterEach, beforeEach } from 'node:test';
 *
 * guardLeaks({ beforeEach, afterEach });
 */
export function guardLeaks({ beforeEach, afterEach }: TestHooks): void {
  let check: () => Promise<void>;
  beforeEach(() => {
    check = leakGuard();
  });
  afterEach(() => check());
}
