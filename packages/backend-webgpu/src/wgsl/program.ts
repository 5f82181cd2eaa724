import type { DType } from '@evenkeel/tensor';
import type { Operand } from '@evenkeel/tensor/kernel';
import { Code, type Value, type WgslType } from './code.ts';
import type { DeviceTraits } from './device-traits.ts';
import { type FunctionName, functionsText } from './functions.ts';
import { Indices } from './indices.ts';
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
  /** Operands that this program writes; others are bound for reading alone. */
  readonly #written: ReadonlySet<number>;

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

  /** Indices over axes of these sizes. */
  indices(sizes: readonly number[]): Indices {
    return new Indices(sizes, {
      code: this.code,
      operands: this.operands,
      use: (name) => this.use(name),
      readInteger: (operand, index) => this.#readInteger(operand, index),
    });
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

  /** An element of an operand as computed with. */
  load(operand: number, index: Value): Value {
    const { dtype } = this.operands[operand] as Operand;
    const array = this.#operandArray(operand);
    const element = `${array}[${index.text}]`;
    switch (dtype) {
      case 'bool':
        return this.code.define(`${element} != 0u`, 'bool', [index]);
      case 'float16': {
        if (this.traits.half) return this.code.define(`f32(${element})`, 'f32', [index]);
        const place = `${array}[${index.text} >> 1u]`;
        const word = this.#written.has(operand) ? `atomicLoad(&${place})` : place;
        const bits = `(${word} >> ((u32(${index.text}) & 1u) * 16u)) & 0xffffu`;
        return this.code.define(`${this.use('halfToFloat')}(${bits})`, 'f32', [index]);
      }
      default:
        return this.code.define(element, wgslTypes[dtype], [index]);
    }
  }

  /** An element of an integer operand as an index. */
  #readInteger(operand: number, index: Value): Value {
    const value = this.load(operand, index);
    return value.type === 'i32' ? value : this.code.define(`i32(${value.text})`, 'i32', [value]);
  }

  /** Writes a value that has the operand's precision. */
  store(operand: number, index: Value, value: Value): void {
    const { dtype } = this.operands[operand] as Operand;
    const array = this.#operandArray(operand);
    if (dtype === 'float16' && !this.traits.half) {
      const place = `&${array}[${index.text} >> 1u]`;
      const shift = this.code.now(`(u32(${index.text}) & 1u) * 16u`, 'u32').text;
      // Its neighbour may be written at the same time: each changes its own half.
      this.code.line(`atomicAnd(${place}, ~(0xffffu << ${shift}));`);
      this.code.line(`atomicOr(${place}, ${this.use('floatToHalf')}(${value.text}) << ${shift});`);
      return;
    }
    const stored =
      dtype === 'bool' ? `select(0u, 1u, ${value.text})` : dtype === 'float16' ? `f16(${value.text})` : value.text;
    this.code.line(`${array}[${index.text}] = ${stored};`);
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

  #operandArray(operand: number): string {
    return this.#bind({ kind: 'operand', number: operand, isWritten: this.#written.has(operand) });
  }

  #bind(binding: Binding): string {
    const { kind, number } = binding;
    if (!this.#bindings.some((known) => known.kind === kind && known.number === number)) this.#bindings.push(binding);
    return `${kind}${number}`;
  }

  #elementType({ kind, number, isWritten }: Binding): string {
    if (kind === 'scratch') return 'u32';
    const { dtype } = this.operands[number] as Operand;
    if (dtype === 'bool') return 'u32';
    if (dtype === 'float16') return this.traits.half ? 'f16' : isWritten ? 'atomic<u32>' : 'u32';
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
      'fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {',
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
