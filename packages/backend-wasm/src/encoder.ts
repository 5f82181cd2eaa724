import { ByteWriter } from './byte-writer.ts';
import { type ConstantPool, FunctionBuilder } from './function-builder.ts';
import { type FunctionType, typeCodes, type ValueType } from './value-type.ts';

export { ByteWriter } from './byte-writer.ts';
export { FunctionBuilder, type Label, type Local } from './function-builder.ts';
export type { LaneOp, MemoryLaneOp, MemoryOp, PlainOp } from './opcodes.ts';
export type { FunctionType, ValueType } from './value-type.ts';

/** A function that can be called: one of the module, or an imported one. */
export interface Callable {
  readonly index: number;
}

/** A global variable. */
export interface Global {
  readonly index: number;
}

interface GlobalEntry {
  readonly type: ValueType;
  readonly mutable: boolean;
  readonly initial: number;
}

/** Where memory comes from and how large it may be, in pages of 64 KiB. */
export interface MemoryImport {
  readonly module: string;
  readonly name: string;
  readonly initial: number;
  readonly maximum: number;
  readonly shared: boolean;
}

interface FunctionNames {
  readonly name: string;
  readonly parameters: readonly string[];
}

interface ModuleContents {
  readonly types: readonly FunctionType[];
  readonly imports: readonly { readonly module: string; readonly name: string; readonly type: number }[];
  readonly memory: MemoryImport | undefined;
  readonly functions: readonly FunctionBuilder[];
  readonly globals: readonly GlobalEntry[];
  /** Kind 0 is a function, 3 a global. */
  readonly exports: readonly { readonly name: string; readonly kind: number; readonly index: number }[];
  readonly data: readonly { readonly offset: number; readonly bytes: Uint8Array }[];
  readonly functionNames: ReadonlyMap<number, FunctionNames>;
}

/** A WebAssembly module under construction. Imported functions come before the module's own. */
export class ModuleBuilder implements ConstantPool {
  readonly #types: FunctionType[] = [];
  readonly #typeNumbers = new Map<string, number>();
  readonly #imports: { module: string; name: string; type: number }[] = [];
  readonly #functions: FunctionBuilder[] = [];
  readonly #exports: { name: string; kind: number; index: number }[] = [];
  readonly #globals: GlobalEntry[] = [];
  readonly #constants = new Map<string, Global>();
  readonly #data: { offset: number; bytes: Uint8Array }[] = [];
  readonly #names = new Map<number, FunctionNames>();
  #memory: MemoryImport | undefined;

  /** What has been put in so far. */
  get contents(): ModuleContents {
    return {
      types: this.#types,
      imports: this.#imports,
      memory: this.#memory,
      functions: this.#functions,
      globals: this.#globals,
      exports: this.#exports,
      data: this.#data,
      functionNames: this.#names,
    };
  }

  /** Functions so far, imported ones too: the number of the next. */
  get functionCount(): number {
    return this.#imports.length + this.#functions.length;
  }

  importMemory(memory: MemoryImport): void {
    this.#memory = memory;
  }

  importFunction(module: string, name: string, type: FunctionType): Callable {
    if (this.#functions.length > 0) throw new Error(`module: import ${module}.${name} comes after a function`);
    return { index: this.#imports.push({ module, name, type: this.#typeNumber(type) }) - 1 };
  }

  /** A new function; its body is written on what is returned. `name` exports it. */
  function(type: FunctionType, name?: string): FunctionBuilder {
    const index = this.functionCount;
    const builder = new FunctionBuilder(index, type, this.#typeNumber(type), this);
    this.#functions.push(builder);
    if (name !== undefined) this.#exports.push({ name, kind: 0, index });
    return builder;
  }

  /** Names a function and its parameters for people who read the module's text. */
  name({ index }: Callable, name: string, parameters: readonly string[] = []): void {
    this.#names.set(index, { name, parameters });
  }

  global(type: 'i32' | 'f32' | 'f64', initial: number, options: { mutable?: boolean; name?: string } = {}): Global {
    const index = this.#globals.push({ type, mutable: options.mutable ?? true, initial }) - 1;
    if (options.name !== undefined) this.#exports.push({ name: options.name, kind: 3, index });
    return { index };
  }

  /** A global that holds a number and that nothing writes. It may be written, so engines read it rather than fold it. */
  constant(type: 'i32' | 'f32' | 'f64', value: number): Global {
    const key = `${type} ${Object.is(value, -0) ? '-0' : value}`;
    const known = this.#constants.get(key) ?? this.global(type, value);
    this.#constants.set(key, known);
    return known;
  }

  /** Bytes that are written to memory when the module is instantiated. */
  data(offset: number, bytes: Uint8Array): void {
    this.#data.push({ offset, bytes });
  }

  toBytes(): Uint8Array<ArrayBuffer> {
    const out = new ByteWriter(4096);
    out.append([0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    section(out, 1, this.#types, (writer, type) => {
      writer.byte(0x60);
      for (const list of [type.parameters, type.results ?? []]) {
        writer.unsigned(list.length);
        for (const value of list) writer.byte(typeCodes[value]);
      }
    });
    section(out, 2, this.#importWriters(), (writer, write) => write(writer));
    section(out, 3, this.#functions, (writer, { typeNumber }) => writer.unsigned(typeNumber));
    section(out, 6, this.#globals, writeGlobal);
    section(out, 7, this.#exports, (writer, { name, kind, index }) => {
      writer.name(name);
      writer.byte(kind);
      writer.unsigned(index);
    });
    section(out, 10, this.#functions, (writer, builder) => writer.sized(builder.body()));
    section(out, 11, this.#data, (writer, { offset, bytes }) => {
      writer.append([0, 0x41]);
      writer.signed(offset);
      writer.byte(0x0b);
      writer.sized(bytes);
    });
    return out.bytes.slice();
  }

  #typeNumber(type: FunctionType): number {
    const key = `${type.parameters} > ${type.results ?? ''}`;
    let number = this.#typeNumbers.get(key);
    if (number === undefined) {
      number = this.#types.push(type) - 1;
      this.#typeNumbers.set(key, number);
    }
    return number;
  }

  #importWriters(): ((writer: ByteWriter) => void)[] {
    const writers = this.#imports.map(({ module, name, type }) => (writer: ByteWriter) => {
      writer.name(module);
      writer.name(name);
      writer.byte(0);
      writer.unsigned(type);
    });
    const memory = this.#memory;
    if (memory) {
      writers.push((writer) => {
        writer.name(memory.module);
        writer.name(memory.name);
        writer.append([2, memory.shared ? 3 : 1]);
        writer.unsigned(memory.initial);
        writer.unsigned(memory.maximum);
      });
    }
    return writers;
  }
}

function section<T>(
  out: ByteWriter,
  id: number,
  entries: readonly T[],
  write: (w: ByteWriter, entry: T) => void,
): void {
  if (entries.length === 0) return;
  const content = new ByteWriter();
  content.unsigned(entries.length);
  for (const entry of entries) write(content, entry);
  out.byte(id);
  out.sized(content.bytes);
}

function writeGlobal(writer: ByteWriter, { type, mutable, initial }: GlobalEntry): void {
  writer.append([typeCodes[type], mutable ? 1 : 0]);
  if (type === 'i32') {
    writer.byte(0x41);
    writer.signed(initial);
  } else if (type === 'f32') {
    writer.byte(0x43);
    writer.single(initial);
  } else {
    writer.byte(0x44);
    writer.double(initial);
  }
  writer.byte(0x0b);
}
