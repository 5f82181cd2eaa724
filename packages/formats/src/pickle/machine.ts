import { ByteCursor } from './byte-cursor.ts';
import { opcodeNames } from './opcodes.ts';
import { standardConstructors } from './standard.ts';
import { type PickleConstructor, PickleGlobal, type PickleKey, PickleObject } from './value.ts';

/** What a pickle may build beyond plain data. */
export interface MachineOptions {
  readonly construct?: Readonly<Record<string, PickleConstructor>>;
  readonly persistent?: (id: unknown) => unknown;
}

/** Integers of more bytes are refused: nobody counts that far. */
const largestInteger = 1024;
const newestProtocol = 5;

const stop = Symbol('stop');

/**
 * Runs one pickle. Every opcode takes bytes of the file and time in proportion to what it takes off the stack, and there
 * is no recursion: a pickle of n bytes is done after O(n), however it is nested.
 */
export class PickleMachine {
  readonly #cursor: ByteCursor;
  readonly #options: MachineOptions;
  readonly #memo = new Map<number, unknown>();
  readonly #marks: number[] = [];
  readonly #standard = standardConstructors();
  #stack: unknown[] = [];

  constructor(bytes: Uint8Array, start: number, options: MachineOptions) {
    this.#cursor = new ByteCursor(bytes, start);
    this.#options = options;
  }

  /** Where the opcode that is run, or was run last, starts. */
  place = 0;

  /** The byte after the pickle, once it has run. */
  get end(): number {
    return this.#cursor.at;
  }

  run(): unknown {
    for (;;) {
      this.place = this.#cursor.at;
      if (this.#step(this.#cursor.uint8()) === stop) return this.#pop();
    }
  }

  #step(opcode: number): typeof stop | undefined {
    const cursor = this.#cursor;
    switch (opcodeNames.get(opcode)) {
      case 'STOP':
        return stop;
      case 'PROTO': {
        const protocol = cursor.uint8();
        if (protocol > newestProtocol) throw new Error(`protocol ${protocol} is not known`);
        return;
      }
      case 'FRAME':
        // Frames are for readers of streams; a wrong length shows when its content is read.
        cursor.uint64();
        return;

      case 'NONE':
        return this.#push(null);
      case 'NEWTRUE':
        return this.#push(true);
      case 'NEWFALSE':
        return this.#push(false);
      case 'BININT':
        return this.#push(cursor.int32());
      case 'BININT1':
        return this.#push(cursor.uint8());
      case 'BININT2':
        return this.#push(cursor.uint16());
      case 'LONG1':
        return this.#push(this.#integer(cursor.uint8()));
      case 'LONG4':
        return this.#push(this.#integer(cursor.uint32()));
      case 'BINFLOAT':
        return this.#push(cursor.float64());
      case 'SHORT_BINUNICODE':
        return this.#push(textOf(cursor.take(cursor.uint8())));
      case 'BINUNICODE':
        return this.#push(textOf(cursor.take(cursor.uint32())));
      case 'BINUNICODE8':
        return this.#push(textOf(cursor.take(cursor.uint64())));
      case 'SHORT_BINBYTES':
        return this.#push(cursor.take(cursor.uint8()));
      case 'BINBYTES':
        return this.#push(cursor.take(cursor.uint32()));
      case 'BINBYTES8':
      case 'BYTEARRAY8':
        return this.#push(cursor.take(cursor.uint64()));

      case 'EMPTY_TUPLE':
      case 'EMPTY_LIST':
        return this.#push([]);
      case 'EMPTY_DICT':
        return this.#push(new Map());
      case 'EMPTY_SET':
        return this.#push(new Set());
      case 'TUPLE1':
        return this.#push(this.#popMany(1));
      case 'TUPLE2':
        return this.#push(this.#popMany(2));
      case 'TUPLE3':
        return this.#push(this.#popMany(3));
      case 'TUPLE':
      case 'LIST':
        return this.#push(this.#popToMark());
      case 'DICT':
        return this.#push(withItems(new Map(), this.#popToMark()));
      case 'FROZENSET':
        return this.#push(withElements(new Set(), this.#popToMark()));

      case 'APPEND': {
        const [item] = this.#popMany(1);
        listOf(this.#top()).push(item);
        return;
      }
      case 'APPENDS': {
        const items = this.#popToMark();
        const list = listOf(this.#top());
        for (const item of items) list.push(item);
        return;
      }
      case 'SETITEM': {
        const item = this.#popMany(2);
        withItems(this.#top(), item);
        return;
      }
      case 'SETITEMS': {
        const items = this.#popToMark();
        withItems(this.#top(), items);
        return;
      }
      case 'ADDITEMS': {
        const items = this.#popToMark();
        withElements(this.#top(), items);
        return;
      }

      case 'MARK':
        this.#marks.push(this.#stack.length);
        return;
      case 'POP':
        // As in Python: a mark may stand where a value is expected.
        if (this.#marks.at(-1) === this.#stack.length) this.#marks.pop();
        else this.#pop();
        return;
      case 'POP_MARK':
        this.#popToMark();
        return;
      case 'DUP':
        return this.#push(this.#top());
      case 'MEMOIZE':
        return this.#remember(this.#memo.size);
      case 'BINPUT':
        return this.#remember(cursor.uint8());
      case 'LONG_BINPUT':
        return this.#remember(cursor.uint32());
      case 'BINGET':
        return this.#recall(cursor.uint8());
      case 'LONG_BINGET':
        return this.#recall(cursor.uint32());

      case 'GLOBAL': {
        const [module, name] = [textOf(cursor.line()), textOf(cursor.line())];
        return this.#push(this.#global(module, name));
      }
      case 'STACK_GLOBAL': {
        const [module, name] = this.#popMany(2);
        if (typeof module !== 'string' || typeof name !== 'string') throw new Error('a global is not named by text');
        return this.#push(this.#global(module, name));
      }
      case 'REDUCE':
      case 'NEWOBJ': {
        const [made, args] = this.#popMany(2);
        return this.#push(this.#construct(made, args));
      }
      case 'BUILD': {
        const [state] = this.#popMany(1);
        setState(this.#top(), state);
        return;
      }
      case 'BINPERSID':
        return this.#push(this.#persistent(this.#pop()));
      default:
        throw new Error(refusal(opcode));
    }
  }

  #push(value: unknown): undefined {
    this.#stack.push(value);
  }

  /** Values below the last mark belong to what is being built around it. */
  #require(count: number): void {
    if (this.#stack.length - (this.#marks.at(-1) ?? 0) < count) throw new Error('takes a value from an empty stack');
  }

  #top(): unknown {
    this.#require(1);
    return this.#stack.at(-1);
  }

  #pop(): unknown {
    this.#require(1);
    return this.#stack.pop();
  }

  #popMany(count: number): unknown[] {
    this.#require(count);
    return this.#stack.splice(-count);
  }

  #popToMark(): unknown[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw new Error('takes values up to a mark that was not set');
    return this.#stack.splice(mark);
  }

  #remember(index: number): undefined {
    this.#memo.set(index, this.#top());
  }

  #recall(index: number): undefined {
    if (!this.#memo.has(index)) throw new Error(`recalls value ${index}, which was not kept`);
    this.#stack.push(this.#memo.get(index));
  }

  #integer(length: number): number | bigint {
    if (length > largestInteger) throw new Error(`an integer of ${length} bytes`);
    return integerOf(this.#cursor.take(length));
  }

  #global(module: string, name: string): PickleGlobal {
    const full = `${module}.${name}`;
    if (this.#constructorOf(full) === undefined) {
      throw new Error(
        `names ${shown(full)}, which is not among what may be built. Is it from a source that you trust?`,
      );
    }
    return new PickleGlobal(full);
  }

  #constructorOf(name: string): PickleConstructor | undefined {
    const { construct = {} } = this.#options;
    return Object.hasOwn(construct, name) ? construct[name] : this.#standard.get(name);
  }

  #construct(made: unknown, args: unknown): unknown {
    if (!(made instanceof PickleGlobal)) throw new Error('calls what is no class or function');
    if (!Array.isArray(args)) throw new Error(`calls ${made.name} with what are no arguments`);
    const make = this.#constructorOf(made.name) as PickleConstructor;
    return make === 'object' ? new PickleObject(made.name, args) : make(args);
  }

  #persistent(id: unknown): unknown {
    const { persistent } = this.#options;
    if (persistent === undefined) throw new Error('refers to something outside of it by a persistent id');
    return persistent(id);
  }
}

function refusal(opcode: number): string {
  const name = opcodeNames.get(opcode);
  const byte = `0x${opcode.toString(16).padStart(2, '0')}`;
  return name === undefined ? `${byte} is no opcode. Is it a pickle?` : `opcode ${name} (${byte}) is not supported`;
}

function shown(text: string): string {
  const quoted = JSON.stringify(text.slice(0, 100)).slice(1, -1);
  return text.length > 100 ? `${quoted}...` : quoted;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textOf(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new Error('text is not UTF-8');
  }
}

/** Two's complement, lowest byte first; no bytes are 0. */
function integerOf(bytes: Uint8Array): number | bigint {
  let hex = '';
  for (const byte of bytes) hex = byte.toString(16).padStart(2, '0') + hex;
  const value = BigInt.asIntN(bytes.length * 8, hex === '' ? 0n : BigInt(`0x${hex}`));
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

function listOf(target: unknown): unknown[] {
  if (!Array.isArray(target)) throw new Error('appends to what is no list');
  return target;
}

function keyOf(key: unknown): PickleKey {
  if (key !== null && !['boolean', 'number', 'bigint', 'string'].includes(typeof key)) {
    throw new Error('a key of a dict or an element of a set is neither number nor text');
  }
  return key as PickleKey;
}

function withItems(target: unknown, items: readonly unknown[]): Map<PickleKey, unknown> {
  if (!(target instanceof Map)) throw new Error('sets an item of what is no dict');
  if (items.length % 2 !== 0) throw new Error('sets a key of a dict without a value');
  for (let i = 0; i < items.length; i += 2) target.set(keyOf(items[i]), items[i + 1]);
  return target;
}

function withElements(target: unknown, elements: readonly unknown[]): Set<PickleKey> {
  if (!(target instanceof Set)) throw new Error('adds to what is no set');
  for (const element of elements) target.add(keyOf(element));
  return target;
}

function setState(target: unknown, state: unknown): void {
  if (target instanceof PickleObject) target.state = state;
  // Attributes beside the items of a dict, such as the versions that a state dict carries, are not kept.
  else if (!(target instanceof Map)) throw new Error('sets attributes of what has none');
}
