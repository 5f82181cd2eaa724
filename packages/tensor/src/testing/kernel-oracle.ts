import { roundHalfToEven, roundToHalf } from '../graph/reference/rounding.ts';
import { threefry } from '../graph/reference/threefry.ts';
import type { Contraction, Expr, Guard, Index, Kernel, RowKernel, ScatterAdd, Store } from '../kernel/ir.ts';
import { type DType, type HostArray, isFloat } from '../types/dtype.ts';

/**
 * Runs a kernel in the plainest loops: every expression is evaluated anew at every element, nothing is hoisted or shared.
 * Writes to the operands that the kernel writes; `given` are its launch arguments. Values are held in float64 and rounded
 * where they are stored: exact where they are whole numbers, as those of random kernels are.
 *
 * @example
 * const index: Index = { kind: 'axis', axis: 0 };
 * const x: Expr = { kind: 'load', dtype: 'float32', operand: 0, index, guards: [] };
 * const store: Store = { operand: 1, index, value: { kind: 'unary', dtype: 'float32', op: 'neg', operand: x } };
 * const operands: Operand[] = [{ dtype: 'float32', access: 'in' }, { dtype: 'float32', access: 'out' }];
 * const stages: Stage[] = [{ kind: 'store', domain: 'row', store }];
 * const values = [new Float32Array([1, 2, 3]), new Float32Array(3)];
 * runOracle({ kind: 'row', operands, arguments: [], outer: [3], inner: [], stages }, values, []);
 * values[1]; // Float32Array [-1, -2, -3]
 */
export function runOracle(
  kernel: Exclude<Kernel, { kind: 'host' }>,
  operands: HostArray[],
  given: readonly number[],
): void {
  // Reads see what was there before the kernel, as in-place kernels promise to read only where they write.
  const before = operands.map((operand) => operand.slice());
  const write = (store: Store, at: At): void => put(kernel, operands, store, evaluate(store.value, at), at);
  const context = { kernel, operands: before, given };
  if (kernel.kind === 'row') row(kernel, context, write);
  else if (kernel.kind === 'contraction') contraction(kernel, context, write);
  else scatter(kernel, context, operands);
}

interface At {
  readonly kernel: { readonly operands: Kernel['operands'] };
  readonly operands: HostArray[];
  readonly given: readonly number[];
  readonly axes: number[];
  readonly stages?: (stage: number) => number;
  readonly accumulator?: number;
}
type Context = Pick<At, 'kernel' | 'operands' | 'given'>;

export function round(dtype: DType, value: number): number {
  if (dtype === 'float32') return Math.fround(value);
  if (dtype === 'float16') return roundToHalf(value);
  if (dtype === 'int32') return value | 0;
  if (dtype === 'uint32') return value >>> 0;
  return dtype === 'bool' ? Number(value !== 0) : value;
}

function put(kernel: Kernel, operands: HostArray[], { operand, index }: Store, value: number, at: At): void {
  (operands[operand] as HostArray)[indexValue(index, at)] = round(
    (kernel.operands[operand] as { dtype: DType }).dtype,
    value,
  );
}

export function* positions(sizes: readonly number[]): Generator<number[]> {
  const count = sizes.reduce((product, size) => product * size, 1);
  for (let i = 0; i < count; i++) {
    let rest = i;
    yield sizes.map((size, axis) => {
      const inner = sizes.slice(axis + 1).reduce((product, other) => product * other, 1);
      const position = Math.floor(rest / inner) % size;
      rest -= position * inner;
      return position;
    });
  }
}

function reduce(op: string, dtype: DType, a: number, b: number): number {
  if (op === 'max' || op === 'min') return Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : Math[op](a, b);
  if (dtype === 'int32' || dtype === 'uint32') return round(dtype, op === 'sum' ? a + b : Math.imul(a, b));
  return op === 'sum' ? a + b : a * b;
}

function identity(op: string, dtype: DType): number {
  if (op === 'sum' || op === 'prod') return op === 'sum' ? 0 : 1;
  const lows: Partial<Record<DType, number>> = { int32: -(2 ** 31), uint32: 0, bool: 0 };
  const highs: Partial<Record<DType, number>> = { int32: 2 ** 31 - 1, uint32: 2 ** 32 - 1, bool: 1 };
  return op === 'max' ? (lows[dtype] ?? Number.NEGATIVE_INFINITY) : (highs[dtype] ?? Number.POSITIVE_INFINITY);
}

function row(kernel: RowKernel, context: Context, write: (store: Store, at: At) => void): void {
  for (const outer of positions(kernel.outer)) {
    const elements = [...positions(kernel.inner)];
    const values: (number | number[])[] = [];
    kernel.stages.forEach((stage, number) => {
      const at = (i: number): At => ({
        ...context,
        axes: [...outer, ...(elements[i] ?? [])],
        stages: (s) => (Array.isArray(values[s]) ? (values[s] as number[])[i] : values[s]) as number,
      });
      if (stage.kind === 'store') {
        if (stage.domain === 'row') write(stage.store, at(-1));
        else for (let i = 0; i < elements.length; i++) write(stage.store, at(i));
        return;
      }
      const own = elements.map((_, i) => evaluate(stage.value, at(i)));
      if (stage.kind === 'map') values[number] = own;
      else {
        const { dtype } = stage.value;
        let total = identity(stage.op, dtype);
        const running = new Array<number>(own.length);
        const order = own.map((_, i) => (stage.kind === 'scan' && stage.reverse ? own.length - 1 - i : i));
        for (const i of order) {
          total = reduce(stage.op, dtype, total, own[i] as number);
          running[i] = total;
        }
        values[number] = stage.kind === 'scan' ? running : total;
      }
    });
  }
}

function contraction(kernel: Contraction, context: Context, write: (store: Store, at: At) => void): void {
  const { batch, m, n, k } = kernel;
  for (const axes of positions([...batch, ...m, ...n])) {
    let accumulator = 0;
    for (const inner of positions(k)) {
      const at = { ...context, axes: [...axes, ...inner] };
      accumulator += evaluate(kernel.a, at) * evaluate(kernel.b, at);
    }
    for (const store of kernel.stores) write(store, { ...context, axes, accumulator });
  }
}

function scatter(kernel: ScatterAdd, context: Context, operands: HostArray[]): void {
  const { target, size, updates } = kernel;
  const array = operands[target.operand] as HostArray;
  const { dtype } = kernel.operands[target.operand] as { dtype: DType };
  for (const outer of positions(kernel.outer)) {
    const place = (position: number): number => indexValue(target.index, { ...context, axes: [...outer, position] });
    for (let i = 0; i < size; i++) {
      array[place(i)] = round(dtype, evaluate(kernel.initial, { ...context, axes: [...outer, i] }));
    }
    for (let update = 0; update < updates; update++) {
      const at = { ...context, axes: [...outer, update] };
      const position = indexValue(kernel.position, at);
      if (position < 0 || position >= size) continue;
      array[place(position)] = round(dtype, (array[place(position)] as number) + evaluate(kernel.update, at));
    }
  }
}

export function indexValue(index: Index, at: At): number {
  switch (index.kind) {
    case 'literal':
      return index.value;
    case 'axis':
      return at.axes[index.axis] as number;
    case 'add':
      return indexValue(index.left, at) + indexValue(index.right, at);
    case 'mul':
      return indexValue(index.left, at) * index.by;
    case 'floorDiv':
      return Math.floor(indexValue(index.left, at) / index.by);
    case 'mod': {
      const value = indexValue(index.left, at);
      return value - Math.floor(value / index.by) * index.by;
    }
    case 'load':
      return holds(index.guards, at) ? (at.operands[index.operand]?.[indexValue(index.index, at)] as number) : 0;
  }
}

function holds(guards: readonly Guard[], at: At): boolean {
  return guards.every((guard) => {
    const value = indexValue(guard.index, at);
    return guard.kind === 'range' ? value >= guard.from && value < guard.to : Math.abs(value) % guard.of === 0;
  });
}

const unary: Record<string, (x: number) => number> = {
  neg: (x) => -x,
  abs: Math.abs,
  sign: Math.sign,
  floor: Math.floor,
  ceil: Math.ceil,
  round: roundHalfToEven,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  sin: Math.sin,
  cos: Math.cos,
  tanh: Math.tanh,
  sigmoid: (x) => (x > 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))),
  not: (x) => 1 - x,
};

function evaluate(expr: Expr, at: At): number {
  switch (expr.kind) {
    case 'literal':
      return round(expr.dtype, expr.value);
    case 'argument':
      return round(expr.dtype, at.given[expr.argument] as number);
    case 'index':
      return indexValue(expr.index, at);
    case 'load':
      return holds(expr.guards, at) ? (at.operands[expr.operand]?.[indexValue(expr.index, at)] as number) : 0;
    case 'unary': {
      const operand = evaluate(expr.operand, at);
      const jumps = expr.op === 'floor' || expr.op === 'ceil' || expr.op === 'round';
      const value = (unary[expr.op] as (x: number) => number)(jumps ? round(expr.dtype, operand) : operand);
      return isFloat(expr.dtype) ? value : round(expr.dtype, value);
    }
    case 'binary':
      return binary(expr.op, expr.dtype, evaluate(expr.left, at), evaluate(expr.right, at));
    case 'random': {
      const [key0, key1] = expr.key;
      const key = [evaluate(key0, at), evaluate(key1, at)] as const;
      return threefry(key, [evaluate(expr.element, at), evaluate(expr.stream, at)])[0];
    }
    case 'compare': {
      const [a, b] = [expr.left, expr.right].map((side) => round(side.dtype, evaluate(side, at))) as [number, number];
      const result = { equal: a === b, notEqual: a !== b, less: a < b, lessEqual: a <= b };
      return Number(result[expr.op]);
    }
    case 'where':
      return evaluate(evaluate(expr.condition, at) ? expr.then : expr.otherwise, at);
    case 'guard':
      return evaluate(holds(expr.guards, at) ? expr.then : expr.otherwise, at);
    case 'cast': {
      const value = round(expr.operand.dtype, evaluate(expr.operand, at));
      if (expr.dtype === 'bool' || isFloat(expr.dtype)) return round(expr.dtype, value);
      if (!isFloat(expr.operand.dtype)) return round(expr.dtype, value);
      const [low, high] = expr.dtype === 'int32' ? [-(2 ** 31), 2 ** 31 - 1] : [0, 2 ** 32 - 1];
      return Number.isNaN(value) ? 0 : Math.min(Math.max(Math.trunc(value), low), high);
    }
    case 'stage':
      return at.stages?.(expr.stage) as number;
    case 'accumulator':
      return at.accumulator as number;
  }
}

function binary(op: string, dtype: DType, a: number, b: number): number {
  if (op === 'max' || op === 'min') return Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : Math[op](a, b);
  if (dtype === 'int32' || dtype === 'uint32') {
    const quotient = b === 0 ? 0 : Math.floor(a / b);
    const results: Record<string, number> = {
      add: a + b,
      sub: a - b,
      mul: Math.imul(a, b),
      floorDiv: quotient,
      mod: b === 0 ? 0 : a - quotient * b,
    };
    return round(dtype, results[op] as number);
  }
  const results: Record<string, () => number> = {
    add: () => a + b,
    sub: () => a - b,
    mul: () => a * b,
    div: () => a / b,
    pow: () => a ** b,
    floorDiv: () => Math.floor(round(dtype, a) / round(dtype, b)),
    mod: () => round(dtype, a) - Math.floor(round(dtype, a) / round(dtype, b)) * round(dtype, b),
  };
  return (results[op] as () => number)();
}
