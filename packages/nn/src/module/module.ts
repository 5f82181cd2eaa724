import { State, type Tensor } from '@evenkeel/tensor';
import { Parameter } from './parameter.ts';
import { className, runInScope } from './scope.ts';
import { type LoadOptions, type LoadReport, loadStates, type StateDict } from './state-dict.ts';

/** How fields are published: a table of the fields whose name differs, or a rule for all of them. */
export type FieldNames = Readonly<Record<string, string>> | ((field: string) => string);

/**
 * A part of a network: data (Parameters, Persistents and other Modules in its fields) and a `forward`.
 *
 * Fields are found by walking them in the order of their declaration; arrays, Maps and plain records of them count.
 * A module's own values come before its children's, its Parameters before its Persistents, so the order equals
 * PyTorch's registration order. Each is named by its path, `enc.8x8_block0.conv_res0.weight`; record keys are path
 * parts, array positions are numbers. `static names` publishes fields under other names (`''` leaves a part out).
 * Private `#fields` are not walked. A value reached twice keeps its first name.
 *
 * @example
 * ```ts
 * class Mlp extends Module {
 *   static override readonly names = { outputGain: 'output_gain' };
 *   readonly outputGain = new Parameter(tensor(1));
 *   readonly hidden = new Linear(2, 64);
 *   readonly output = new Linear(64, 1);
 *   forward(x: Tensor) {
 *     return this.output.call(this.hidden.call(x).silu()).mul(this.outputGain.value);
 *   }
 * }
 * const model = new Mlp();
 * model.call(zeros([8, 2])); // [8, 1]
 * [...model.stateDict().keys()]; // ['output_gain', 'hidden.weight', 'hidden.bias', 'output.weight', 'output.bias']
 * ```
 */
export abstract class Module {
  /** Published names of fields where they differ from the field's own. */
  static readonly names: FieldNames = {};

  /** Whether `train()` (the default) or `eval()` was called last; Dropout reads it. */
  training = true;

  /** What the module computes; synchronous, since it only builds the graph. Call it through {@link call}. */
  abstract forward(...inputs: never[]): unknown;

  /**
   * Runs {@link forward} in a scope of its own: errors thrown inside name this module's path once, probes see its
   * output.
   *
   * @throws what `forward` throws, with `in <path> (<ClassName>)` added; an error where `forward` returns a Promise.
   */
  call(...inputs: Parameters<this['forward']>): ReturnType<this['forward']> {
    const forward = this.forward as (...inputs: unknown[]) => ReturnType<this['forward']>;
    return runInScope(this, inputs, () => forward.apply(this, inputs));
  }

  /** This module and all below it with their paths, parents first; this one's path is `''`. */
  *namedModules(): Generator<[path: string, module: Module]> {
    yield* walkModules(this, '', new Set());
  }

  /** All Parameters, in registration order, by path. */
  namedParameters(): Map<string, Parameter> {
    return new Map(
      [...walkStates(this)].filter((entry): entry is [string, Parameter] => entry[1] instanceof Parameter),
    );
  }

  /** All values that are kept but not trained, by path. */
  namedBuffers(): Map<string, State> {
    return new Map([...walkStates(this)].filter(([, state]) => !(state instanceof Parameter)));
  }

  /** All Parameters, in registration order, each once. */
  parameters(): Parameter[] {
    return [...this.namedParameters().values()];
  }

  /** How many numbers are trained. */
  parameterCount(): number {
    return this.parameters().reduce((sum, parameter) => sum + parameter.value.size, 0);
  }

  /** Switches this module and all below it to training behaviour. */
  train(mode = true): this {
    for (const [, module] of this.namedModules()) module.training = mode;
    return this;
  }

  /** Switches this module and all below it to evaluation behaviour (Dropout passes everything). */
  eval(): this {
    return this.train(false);
  }

  /**
   * Current values by path. They are handles on this version of the cells: read or save them before the next training
   * step, or reading throws `StaleReadError`.
   */
  stateDict(): Map<string, Tensor> {
    return new Map([...walkStates(this)].map(([path, state]) => [path, state.value]));
  }

  /**
   * Assigns values by path, after checking all of them: an error leaves the module as it was. Float dtypes are cast to
   * each other (published snapshots are float16).
   *
   * @throws one line naming what is missing, unexpected or of wrong shape or dtype.
   */
  loadStateDict(dict: StateDict, options: LoadOptions = {}): LoadReport {
    return loadStates(className(this), new Map(walkStates(this)), dict, options);
  }

  /** Gives every cell below this module its path, for errors and `memory()`. Deeper names win over shallower ones. */
  nameStates(prefix: string): void {
    for (const [path, state] of walkStates(this)) {
      const full = `${prefix}.${path}`;
      if (depth(full) > depth(state.path ?? '')) state.path = full;
    }
  }

  /** Frees the buffers of all Parameters and Persistents below this module. */
  dispose(): void {
    for (const [, state] of walkStates(this)) state.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/**
 * `convRes0` as `conv_res0`: a ready rule for {@link Module.names}.
 *
 * @example
 * ```ts
 * class Block extends Module {
 *   static override readonly names = snakeCase; // convRes0 is published as conv_res0
 *   readonly convRes0 = new Conv2d(8, 8, 3);
 *   forward(x: Tensor) {
 *     return this.convRes0.call(x);
 *   }
 * }
 * [...new Block().stateDict().keys()]; // ['conv_res0.weight', 'conv_res0.bias']
 * ```
 */
export function snakeCase(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function depth(path: string): number {
  return path === '' ? 0 : path.split('.').length;
}

function join(prefix: string, part: string): string {
  if (prefix === '' || part === '') return prefix + part;
  return `${prefix}.${part}`;
}

function* fields(module: Module): Generator<[name: string, value: unknown]> {
  const names = (module.constructor as typeof Module).names;
  for (const [field, value] of Object.entries(module)) {
    if (typeof value !== 'object' || value === null) continue;
    yield [typeof names === 'function' ? names(field) : (names[field] ?? field), value];
  }
}

/** The entries of an array, Map or plain record; other objects hold nothing of ours. */
function* entries(value: unknown): Generator<[name: string, value: unknown]> {
  if (Array.isArray(value)) for (const [index, item] of value.entries()) yield [String(index), item];
  else if (value instanceof Map) for (const [key, item] of value) yield [String(key), item];
  else if (typeof value === 'object' && value !== null && isPlain(value)) yield* Object.entries(value);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Modules directly below a value, through any depth of containers. */
function* modulesIn(path: string, value: unknown): Generator<[path: string, module: Module]> {
  if (value instanceof Module) yield [path, value];
  else for (const [name, item] of entries(value)) yield* modulesIn(join(path, name), item);
}

function* statesIn(path: string, value: unknown): Generator<[path: string, state: State]> {
  if (value instanceof State) yield [path, value];
  else for (const [name, item] of entries(value)) yield* statesIn(join(path, name), item);
}

function* walkModules(module: Module, path: string, seen: Set<Module>): Generator<[path: string, module: Module]> {
  if (seen.has(module)) return;
  seen.add(module);
  yield [path, module];
  for (const [name, value] of fields(module)) {
    for (const [childPath, child] of modulesIn(join(path, name), value)) yield* walkModules(child, childPath, seen);
  }
}

function* walkStates(root: Module): Generator<[path: string, state: State]> {
  const seen = new Set<State>();
  for (const [path, module] of walkModules(root, '', new Set())) {
    const own = [...fields(module)].flatMap(([name, value]) => [...statesIn(join(path, name), value)]);
    const ordered = [
      ...own.filter(([, state]) => state instanceof Parameter),
      ...own.filter(([, state]) => !(state instanceof Parameter)),
    ];
    for (const [name, state] of ordered) {
      if (seen.has(state)) continue;
      seen.add(state);
      yield [name, state];
    }
  }
}
