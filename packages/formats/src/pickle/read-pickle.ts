import { type MachineOptions, PickleMachine } from './machine.ts';
import type { PickleConstructor } from './value.ts';

/** Options of {@link readPickle}. */
export interface PickleReadOptions {
  /** Names the file in error messages. */
  readonly file?: string;
  /** What may be built beyond plain data, by `module.name`; anything else that a pickle names is refused. */
  readonly construct?: Readonly<Record<string, PickleConstructor>>;
  /** Gives what a persistent id stands for. @defaultValue they are refused */
  readonly persistent?: (id: unknown) => unknown;
}

/**
 * Reads a Python pickle (binary, protocols 2 to 5) as data. Nothing of it is executed: classes and functions are
 * names, which are looked up in `construct` and refused, by name, where they are not in it.
 *
 * | Python | here |
 * |---|---|
 * | None, bool, float, str | null, boolean, number, string |
 * | int | number, or bigint from 2^53 on |
 * | bytes, bytearray | Uint8Array, a view of `bytes` |
 * | list, tuple | array |
 * | dict, OrderedDict | Map |
 * | set, frozenset | Set |
 * | a class or function in `construct` | PickleGlobal |
 * | an object of one | what `construct` makes, or a PickleObject |
 *
 * A value that a pickle uses in several places is one value here too, and may contain itself: follow references with a
 * bound. Time and memory are proportional to the length of `bytes`.
 *
 * @throws Error, one line, when the pickle is damaged or cut off, followed by other bytes, of the text protocol, or names
 * what may not be built.
 * @example
 * ```ts
 * const bytes = Uint8Array.from('\x80\x02]q\x00(K\x01X\x02\x00\x00\x00abe.', (c) => c.charCodeAt(0));
 * readPickle(bytes, { file: 'list.pkl' }); // [1, 'ab']
 * ```
 */
export function readPickle(bytes: Uint8Array, options: PickleReadOptions = {}): unknown {
  const where = `readPickle${options.file === undefined ? '' : ` ${options.file}`}`;
  const { value, end } = readPickleAt(bytes, 0, where, options);
  if (end < bytes.length) throw new Error(`${where}: ${bytes.length - end} bytes follow the pickle`);
  return value;
}

/** Reads the pickle that starts at `start`, and tells where it ends. `where` starts every error message. */
export function readPickleAt(bytes: Uint8Array, start: number, where: string, options: MachineOptions) {
  const machine = new PickleMachine(bytes, start, options);
  try {
    return { value: machine.run(), end: machine.end };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${where}: byte ${machine.place}: ${reason}`, { cause: error });
  }
}
