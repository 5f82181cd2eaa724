import { createJsBackend } from '../backend-js/index.ts';
import type { Backend } from '../kernel/backend.ts';

let current: Backend | undefined;

/**
 * The backend on which results are computed: plain JavaScript until `setBackend` says otherwise.
 *
 * @example
 * currentBackend().name; // 'js'
 */
export function currentBackend(): Backend {
  current ??= createJsBackend();
  return current;
}

/**
 * Computes on `backend` from now on. Cells and pinned results move to it when they are next used.
 *
 * @example
 * setBackend(createJsBackend({ interpret: true })); // works where code from strings is forbidden
 */
export function setBackend(backend: Backend): void {
  current = backend;
}

/**
 * Runs `fn` with `backend` as the current one and restores the former one when `fn`, or its promise, is over.
 *
 * @example
 * const total = await withBackend(createJsBackend(), () => tensor([1, 2]).sum().item()); // 3
 */
export function withBackend<T>(backend: Backend, fn: () => T): T {
  const before = currentBackend();
  current = backend;
  const restore = () => {
    current = before;
  };
  let result: T;
  try {
    result = fn();
  } catch (error) {
    restore();
    throw error;
  }
  if (!(result instanceof Promise)) {
    restore();
    return result;
  }
  return result.finally(restore) as T;
}
