/** What may be a key of a dict, and an element of a set. */
export type PickleKey = null | boolean | number | bigint | string;

/**
 * A class or function that a pickle names: a name, and nothing that could be called.
 *
 * @example
 * ```ts
 * new PickleGlobal('collections.OrderedDict').name; // 'collections.OrderedDict'
 * ```
 */
export class PickleGlobal {
  /** `module.name`, as `collections.OrderedDict`. */
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/**
 * An object of a class that is kept as data: what it was to be made with, and its state.
 *
 * @example
 * ```ts
 * const object = new PickleObject('datetime.date', [2026, 11, 26]);
 * object.args; // [2026, 11, 26]
 * ```
 */
export class PickleObject {
  /** `module.name` of the class, or of the function that made it. */
  readonly name: string;
  readonly args: readonly unknown[];
  /** What the object's attributes were to be set from; undefined where the pickle sets none. */
  state: unknown;

  constructor(name: string, args: readonly unknown[]) {
    this.name = name;
    this.args = args;
    this.state = undefined;
  }
}

/**
 * How something that a pickle names is built: `'object'` for a {@link PickleObject}, or a function of the arguments, which
 * may come in any number and of any type. What a function throws becomes the error of the pickle.
 */
export type PickleConstructor = 'object' | ((args: readonly unknown[]) => unknown);
