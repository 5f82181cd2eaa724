import { ByteReader } from './byte-reader.ts';
import { laneOps, memoryLaneOps, memoryOps, plainOps } from './opcodes.ts';
import { typeCodes } from './value-type.ts';

/** How the text of a function calls what it refers to by number, each with its dollar sign. */
export interface Names {
  local(index: number): string;
  callee(index: number): string;
  global(index: number): string;
}

type Immediates = (code: ByteReader, names: Names) => string;

const typeNames = new Map(Object.entries(typeCodes).map(([name, code]) => [code, name]));
const words = (bytes: Uint8Array): string[] =>
  [...new Uint32Array(bytes.buffer)].map((word) => `0x${word.toString(16).padStart(8, '0')}`);

const address = (name: string): Immediates => {
  return (code) => {
    const [alignment, offset] = [code.unsigned(), code.unsigned()];
    // Vectors say that they need not lie at multiples of their own size; all others are as the name says.
    const align = name.startsWith('v128') ? ` align=${2 ** alignment}` : '';
    return `${offset === 0 ? '' : ` offset=${offset}`}${align}`;
  };
};
const lane: Immediates = (code) => ` ${code.byte()}`;
const number: Immediates = (code) => ` ${code.unsigned()}`;
const blockType: Immediates = (code) => {
  const type = typeNames.get(code.byte());
  return type === undefined ? '' : ` (result ${type})`;
};

const ignored = (count: number): Immediates => {
  return (code) => {
    code.take(count);
    return '';
  };
};

interface Instruction {
  readonly name: string;
  readonly immediates: Immediates;
}

let table: ReadonlyMap<number, Instruction> | undefined;

/** Every instruction that a `FunctionBuilder` writes, by its opcode. */
function createTable(): ReadonlyMap<number, Instruction> {
  const instructions = new Map<number, Instruction>();
  const know = (opcode: number, name: string, immediates: Immediates = ignored(0)): void => {
    instructions.set(opcode, { name, immediates });
  };
  for (const [name, opcode] of Object.entries(plainOps)) know(opcode, name);
  for (const [name, [opcode]] of Object.entries(memoryOps)) know(opcode, name, address(name));
  for (const [name, opcode] of Object.entries(laneOps)) know(opcode, name, lane);
  for (const [name, [opcode]] of Object.entries(memoryLaneOps)) {
    know(opcode, name, (code, names) => address(name)(code, names) + lane(code, names));
  }
  know(0x02, 'block', blockType);
  know(0x03, 'loop', blockType);
  know(0x04, 'if', blockType);
  know(0x05, 'else');
  know(0x0b, 'end');
  know(0x0c, 'br', number);
  know(0x0d, 'br_if', number);
  know(0x10, 'call', (code, names) => ` ${names.callee(code.unsigned())}`);
  know(0x20, 'local.get', (code, names) => ` ${names.local(code.unsigned())}`);
  know(0x21, 'local.set', (code, names) => ` ${names.local(code.unsigned())}`);
  know(0x22, 'local.tee', (code, names) => ` ${names.local(code.unsigned())}`);
  know(0x23, 'global.get', (code, names) => ` ${names.global(code.unsigned())}`);
  know(0x24, 'global.set', (code, names) => ` ${names.global(code.unsigned())}`);
  know(0x41, 'i32.const', (code) => ` ${code.signed()}`);
  know(0x42, 'i64.const', (code) => ` ${code.signed()}`);
  know(0x43, 'f32.const', (code) => ` ${showFloat(code.take(4))}`);
  know(0x44, 'f64.const', (code) => ` ${showFloat(code.take(8))}`);
  know(0xfc_00a, 'memory.copy', ignored(2));
  know(0xfc_00b, 'memory.fill', ignored(1));
  know(0xfd_00c, 'v128.const', (code) => ` i32x4 ${words(code.take(16)).join(' ')}`);
  know(0xfd_00d, 'i8x16.shuffle', (code) => ` ${[...code.take(16)].join(' ')}`);
  know(0xfe_003, 'atomic.fence', ignored(1));
  return instructions;
}

/** Lines of a function's code, in the text format of WebAssembly, indented. */
export function disassemble(code: Uint8Array, names: Names): string[] {
  table ??= createTable();
  const reader = new ByteReader(code);
  const lines: string[] = [];
  let depth = 1;
  while (!reader.isAtEnd) {
    const first = reader.byte();
    const opcode = first >= 0xfc ? (first << 12) | reader.unsigned() : first;
    const known = table.get(opcode);
    if (!known) throw new Error(`disassembler: no instruction has the opcode 0x${opcode.toString(16)}`);
    const { name, immediates } = known;
    if (name === 'end' || name === 'else') depth--;
    lines.push(`${'  '.repeat(depth)}${name}${immediates(reader, names)}`);
    if (name === 'block' || name === 'loop' || name === 'if' || name === 'else') depth++;
  }
  return lines;
}

/** A float32 or float64, little-endian, such that reading it gives the same bits. */
function showFloat(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer);
  const isSingle = bytes.length === 4;
  const value = isSingle ? view.getFloat32(0, true) : view.getFloat64(0, true);
  if (!Number.isNaN(value)) return Object.is(value, -0) ? '-0' : String(value).replace('Infinity', 'inf');
  const bits = isSingle ? BigInt(view.getUint32(0, true)) : view.getBigUint64(0, true);
  const payload = bits & ((1n << (isSingle ? 23n : 52n)) - 1n);
  const sign = bits >> (isSingle ? 31n : 63n) ? '-' : '';
  return `${sign}nan:0x${payload.toString(16)}`;
}
