import type { DType } from '@evenkeel/tensor';
import type { Operand } from '@evenkeel/tensor/kernel';
import { Code, type Value, type WgslType } from './code.ts';
import type { DeviceTraits } from './device-traits.ts';
import { type FunctionName, functionsText } from './functions.ts';
import { Indices, type Lane } from './indices.ts';
import type { Binding, Launch } from './printed-kernel.ts';

/** What a dtype is computed in. */
export const wgslTypes: Record<DType, WgslType> = {
  float16: 'f32',
  float32: 'f32',
  float64: 'f32',
  int32: 'i32',
  uint32: 'u32',
  bool: 'bool',
};

const given = ['@builtin(workgroup_id) workgroup: vec3u', '@builtin(local_invocation_index) thread: u32'];
const subgroupsGiven = [
  '@builtin(subgroup_id) subgroup: u32',
  '@builtin(num_subgroups) subgroups: u32',
  '@builtin(subgroup_invocation_id) subgroupLane: u32',
  '@builtin(subgroup_size) subgroupSize: u32',
];

interface SharedArray {
  readonly name: string;
  readonly type: string;
  readonly length: number;
}

/** One compute program in the making: its bindings, the functions it uses, and the body of `main`. */
export class Program {
  readonly code = new Code();
  readonly operands: readonly Operand[];
  readonly traits: DeviceTraits;
  readonly #arguments: readonly DType[];
  readonly #bindings: Binding[] = [];
  readonly #functions = new Set<FunctionName>();
  readonly #shared: SharedArray[] = [];
  #usesArguments = false;
  #usesSubgroups = false;
  /** Operands that this program writes; others are bound for reading alone. */
  readonly #written: ReadonlySet<number>;
  /** The bits of values that were rounded to float16. */
  readonly #halfBits = new Map<string, string>();
  /** Operands that are bound as arrays of four elements. */
  #fours: ReadonlySet<number> = new Set();

  constructor(
    kernel: { readonly operands: readonly Operand[]; readonly arguments: readonly DType[] },
    written: ReadonlySet<number>,
    traits: DeviceTraits,
  ) {
    this.operands = kernel.operands;
    this.#arguments = kernel.arguments;
    this.#written = written;
    this.traits = traits;
  }

  /** The name of a function, which is then part of the program. */
  use(name: FunctionName): string {
    this.#functions.add(name);
    return name;
  }

  /** Indices over axes of these sizes; `lane` as for {@link Indices}. */
  indices(sizes: readonly number[], lane?: Lane): Indices {
    const context = {
      code: this.code,
      operands: this.operands,
      use: (name: FunctionName) => this.use(name),
      readInteger: (operand: number, index: Value, condition: Value | undefined) =>
        this.#readInteger(operand, this.inside(index, condition)),
    };
    return new Indices(sizes, context, lane);
  }

  /** These operands are read and written four elements at a time, wherever they can be; said before the first access. */
  bindFours(operands: ReadonlySet<number>): void {
    this.#fours = operands;
  }

  /** Whether an operand has float16 in pairs, two in a word. */
  isPacked(operand: number): boolean {
    return this.operands[operand]?.dtype === 'float16' && !this.traits.half;
  }

  call(name: FunctionName, type: WgslType, ...operands: readonly Value[]): Value {
    return this.code.define(`${this.use(name)}(${operands.map(({ text }) => text).join(', ')})`, type, operands);
  }

  argument(number: number): Value {
    this.#usesArguments = true;
    const type = wgslTypes[this.#arguments[number] as DType];
    const word = `given[${number >> 2}][${number & 3}]`;
    return this.code.define(this.fromBits(word, type), type, []);
  }

  /** An index that is inside of its array also where the condition fails, if that is for programs to see to. */
  inside(index: Value, condition: Value | undefined): Value {
    if (!condition || this.traits.checksBounds) return index;
    return this.code.define(`select(0, ${index.text}, ${condition.text})`, 'i32', [index, condition]);
  }

  /** An element of an operand as computed with. */
  load(operand: number, index: Value): Value {
    const array = this.#operandArray(operand);
    if (this.isPacked(operand)) {
      const place = `${array}[${index.text} >> 1u]`;
      const word = this.#isAtomic(operand) ? `atomicLoad(&${place})` : place;
      const bits = `(${word} >> ((u32(${index.text}) & 1u) * 16u)) & 0xffffu`;
      return this.code.define(`${this.use('halfToFloat')}(${bits})`, 'f32', [index]);
    }
    return this.#loaded(operand, this.#element(array, operand, index), index);
  }

  /** Element `element` of an operand's `at`th four. */
  loadOfFour(operand: number, { at, element }: { at: Value; element: number }): Value {
    const array = this.#operandArray(operand);
    if (this.isPacked(operand)) {
      const place = `${array}[${at.text} * 2 + ${element >> 1}]`;
      const word = this.code.define(this.#isAtomic(operand) ? `atomicLoad(&${place})` : place, 'u32', [at]);
      const bits = element % 2 === 0 ? `${word.text} & 0xffffu` : `${word.text} >> 16u`;
      return this.code.define(`${this.use('halfToFloat')}(${bits})`, 'f32', [word]);
    }
    const four = this.code.define(`${array}[${at.text}]`, 'vec4', [at]);
    return this.#loaded(operand, `${four.text}.${'xyzw'[element]}`, four);
  }

  /** Stored text as computed with. */
  #loaded(operand: number, text: string, from: Value): Value {
    const { dtype } = this.operands[operand] as Operand;
    if (dtype === 'bool') return this.code.define(`${text} != 0u`, 'bool', [from]);
    return this.code.define(dtype === 'float16' ? `f32(${text})` : text, wgslTypes[dtype], [from]);
  }

  #element(array: string, operand: number, { text }: Value): string {
    return this.#fours.has(operand) ? `${array}[${text} >> 2u][${text} & 3]` : `${array}[${text}]`;
  }

  /** Words of pairs are changed by two threads, unless each thread writes whole words. */
  #isAtomic(operand: number): boolean {
    return this.#written.has(operand) && !this.#fours.has(operand);
  }

  /** An element of an integer operand as an index. */
  #readInteger(operand: number, index: Value): Value {
    const value = this.load(operand, index);
    return value.type === 'i32' ? value : this.code.define(`i32(${value.text})`, 'i32', [value]);
  }

  /** The nearest float16. */
  roundToHalf(value: Value): Value {
    const bits = this.code.define(`${this.use('floatToHalf')}(${value.text})`, 'u32', [value]);
    const rounded = this.code.define(`${this.use('halfToFloat')}(${bits.text})`, 'f32', [bits]);
    this.#halfBits.set(rounded.text, bits.text);
    return rounded;
  }

  /** The bits of a float16, which need not be found again where the value was rounded just now. */
  #bitsOfHalf({ text }: Value): string {
    return this.#halfBits.get(text) ?? `${this.use('floatToHalf')}(${text})`;
  }

  /** Writes a value that has the operand's precision. */
  store(operand: number, index: Value, value: Value): void {
    const array = this.#operandArray(operand);
    if (this.isPacked(operand)) {
      const place = `&${array}[${index.text} >> 1u]`;
      const shift = this.code.now(`(u32(${index.text}) & 1u) * 16u`, 'u32').text;
      // Its neighbour may be written at the same time: each changes its own half.
      this.code.line(`atomicAnd(${place}, ~(0xffffu << ${shift}));`);
      this.code.line(`atomicOr(${place}, ${this.#bitsOfHalf(value)} << ${shift});`);
      return;
    }
    this.code.line(`${this.#element(array, operand, index)} = ${this.#stored(operand, value)};`);
  }

  /** Writes all of an operand's `at`th four. */
  storeFour(operand: number, at: Value, values: readonly Value[]): void {
    const array = this.#operandArray(operand);
    if (this.isPacked(operand)) {
      const bits = values.map((value) => this.#bitsOfHalf(value));
      this.code.line(`${array}[${at.text} * 2] = ${bits[0]} | (${bits[1]} << 16u);`);
      this.code.line(`${array}[${at.text} * 2 + 1] = ${bits[2]} | (${bits[3]} << 16u);`);
      return;
    }
    const stored = values.map((value) => this.#stored(operand, value));
    this.code.line(`${array}[${at.text}] = ${this.#fourType(operand)}(${stored.join(', ')});`);
  }

  #stored(operand: number, { text }: Value): string {
    const { dtype } = this.operands[operand] as Operand;
    return dtype === 'bool' ? `select(0u, 1u, ${text})` : dtype === 'float16' ? `f16(${text})` : text;
  }

  #fourType(operand: number): string {
    const { dtype } = this.operands[operand] as Operand;
    return `vec4<${dtype === 'bool' ? 'u32' : dtype === 'float16' ? 'f16' : wgslTypes[dtype]}>`;
  }

  /** The array of u32 that is memory to work in; whether it is written at all is said at its first use. */
  scratch(number: number, isWritten: boolean): string {
    return this.#bind({ kind: 'scratch', number, isWritten });
  }

  /** A value as bits, and back. */
  bitsOf({ text, type }: Value): string {
    return type === 'u32' ? text : type === 'bool' ? `select(0u, 1u, ${text})` : `bitcast<u32>(${text})`;
  }

  fromBits(text: string, type: WgslType): string {
    return type === 'u32' ? text : type === 'bool' ? `(${text}) != 0u` : `bitcast<${type}>(${text})`;
  }

  /** An array that a workgroup shares. */
  shared(type: string, length: number): string {
    const name = `shared${this.#shared.length}`;
    this.#shared.push({ name, type, length });
    return name;
  }

  /** `subgroup` is a thread's subgroup, of `subgroups`; `subgroupLane` its number there, of `subgroupSize`. */
  usesSubgroups(): void {
    this.#usesSubgroups = true;
  }

  #operandArray(operand: number): string {
    return this.#bind({ kind: 'operand', number: operand, isWritten: this.#written.has(operand) });
  }

  #bind(binding: Binding): string {
    const { kind, number } = binding;
    if (!this.#bindings.some((known) => known.kind === kind && known.number === number)) this.#bindings.push(binding);
    return `${kind}${number}`;
  }

  #elementType({ kind, number }: Binding): string {
    if (kind === 'scratch') return 'u32';
    const { dtype } = this.operands[number] as Operand;
    if (this.isPacked(number)) return this.#isAtomic(number) ? 'atomic<u32>' : 'u32';
    if (this.#fours.has(number)) return this.#fourType(number);
    if (dtype === 'bool') return 'u32';
    if (dtype === 'float16') return 'f16';
    return wgslTypes[dtype];
  }

  /**
   * The launch of `groups` workgroups of `size` threads. In the body, `lane` is a thread's number in its group, and
   * `group` the group's number.
   */
  finish(groups: number, size: readonly [number, number]): Launch {
    const x = Math.min(groups, this.traits.workgroupsPerAxis);
    const y = Math.ceil(groups / x);
    const count = this.#bindings.length;
    const usesHalf = this.traits.half && this.operands.some(({ dtype }) => dtype === 'float16');
    const parts = [
      usesHalf ? 'enable f16;' : '',
      this.#usesSubgroups ? 'enable subgroups;' : '',
      ...this.#bindings.map((binding, i) => {
        const access = binding.isWritten ? 'read_write' : 'read';
        return `@group(0) @binding(${i}) var<storage, ${access}> ${binding.kind}${binding.number}: array<${this.#elementType(binding)}>;`;
      }),
      this.#usesArguments
        ? `@group(0) @binding(${count}) var<uniform> given: array<vec4<u32>, ${Math.ceil(this.#arguments.length / 4)}>;`
        : '',
      ...this.#shared.map(({ name, type, length }) => `var<workgroup> ${name}: array<${type}, ${length}>;`),
      // Always 0, which compilers cannot know.
      'var<private> none: u32;',
      functionsText(this.#functions),
      `@compute @workgroup_size(${size[0]}, ${size[1]})`,
      `fn main(${[...given, ...(this.#usesSubgroups ? subgroupsGiven : [])].join(', ')}) {`,
      '  none = workgroup.z;',
      `  let lane = i32(thread);`,
      `  let group = i32(workgroup.x${y > 1 ? ` + workgroup.y * ${x}u` : ''});`,
      ...(x * y > groups ? [`  if (group >= ${groups}) { return; }`] : []),
      this.code.finish(),
      '}',
    ];
    return {
      code: parts.filter((part) => part !== '').join('\n'),
      bindings: this.#bindings,
      hasArguments: this.#usesArguments,
      workgroups: [x, y],
    };
  }
}
