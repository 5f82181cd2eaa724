import type { Module } from './module.ts';

/** One finished `call` of a module. */
export interface ForwardEvent {
  /** From the outermost called module: `Mlp.hidden`. */
  readonly path: string;
  readonly module: Module;
  readonly inputs: readonly unknown[];
  /** What `forward` returned; nothing of it is computed yet. */
  readonly output: unknown;
}

/** Told of each module call, innermost first: a module's children finish before it. */
export interface Probe {
  onForward(event: ForwardEvent): void;
}

// The module scope: `call` is synchronous, so what is on this stack is exactly what is running.
const stack: Module[] = [];
const probes: Probe[] = [];
const located = new WeakSet<Error>();

/** Runs `body` as the forward of `module`: its errors name the module's path, probes see what it returns. */
export function runInScope<T>(module: Module, inputs: readonly unknown[], body: () => T): T {
  stack.push(module);
  try {
    if (stack.length === 1) module.nameStates(className(module));
    const output = body();
    if (output instanceof Promise) {
      output.catch(() => {});
      throw new Error(
        'forward: must be synchronous, got a Promise. It builds a graph; await its result outside of call()',
      );
    }
    if (probes.length > 0) {
      const event = { path: pathInScope(module), module, inputs, output };
      for (const probe of probes) probe.onForward(event);
    }
    return output;
  } catch (error) {
    if (error instanceof Error && !located.has(error)) {
      located.add(error);
      addLocation(error, describe(module, pathInScope(module)));
    }
    throw error;
  } finally {
    stack.pop();
  }
}

/**
 * Runs `body`, which must be synchronous, and tells `probe` of every module call in it.
 *
 * @example
 * ```ts
 * const model = new Sequential(new Linear(2, 64), new SiLU(), new Linear(64, 1));
 * const magnitudes: Record<string, Tensor> = {};
 * const onForward = ({ path, output }: ForwardEvent) => {
 *   magnitudes[path] = (output as Tensor).square().mean().sqrt();
 * };
 * withProbe({ onForward }, () => model.call(ones([8, 2])));
 * Object.keys(magnitudes); // ['Sequential.0', 'Sequential.1', 'Sequential.2', 'Sequential']
 * ```
 */
export function withProbe<T>(probe: Probe, body: () => T): T {
  probes.push(probe);
  try {
    return body();
  } finally {
    probes.splice(probes.lastIndexOf(probe), 1);
  }
}

/** `Mlp.hidden (UnitLinear)`, or `Mlp` alone for the outermost module. */
export function describe(module: Module, path: string): string {
  const name = className(module);
  return path === name ? name : `${path} (${name})`;
}

export function className(module: Module): string {
  return module.constructor.name || 'Module';
}

/** Searched for only when wanted: a call pays nothing for its name. */
function pathInScope(module: Module): string {
  const root = stack[0] as Module;
  for (const [path, candidate] of root.namedModules()) {
    if (candidate === module) return path === '' ? className(root) : `${className(root)}.${path}`;
  }
  return className(module);
}

/** Puts the place before the hint: `what, in <place>. The fix`. */
function addLocation(error: Error, place: string): void {
  const before = error.message;
  const hint = before.search(/[.?!] (?=[A-Z])/);
  const end = hint >= 0 ? hint : before.length - (before.endsWith('.') ? 1 : 0);
  const after = `${before.slice(0, end)}, in ${place}${before.slice(end)}`;
  const stackText = error.stack;
  error.message = after;
  if (stackText !== undefined) error.stack = stackText.replace(before, () => after);
}
