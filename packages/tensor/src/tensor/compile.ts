import type { Node } from '../graph/node.ts';
import { CompiledProgram } from '../runtime/compile.ts';
import type { DType } from '../types/dtype.ts';
import type { TensorOrNumber } from './apply.ts';
import { Tensor } from './tensor.ts';

/** What a compiled function may give: a tensor, a list, a record, or nothing but assignments. */
// biome-ignore lint/suspicious/noConfusingVoidType: functions without a result are welcome
export type CompiledResult = Tensor | readonly Tensor[] | Readonly<Record<string, Tensor>> | void;

/** Numbers may stand for the scalars that the function takes. */
export type CompiledInputs<A extends readonly Tensor[]> = { [K in keyof A]: A[K] | number };

/** A traced function and how its results are put together. */
interface Traced<R> {
  readonly program: CompiledProgram;
  readonly rebuild: (leaves: readonly Node[]) => R;
}

/**
 * Traces a function of tensors once for each combination of shapes and dtypes, then replays it without building graphs.
 * Numbers given in a call arrive as float32 scalars and may change from call to call; numbers that the function takes
 * from around it are frozen. Assignments to states and random draws inside happen anew at each call. Results stay on
 * the device until they are disposed.
 *
 * @throws from the first call, when the function is asynchronous, reads values, or gives something that holds no tensors.
 * @example
 * const step = compile((x: Tensor, rate: Tensor) => {
 *   const loss = model.call(x).square().mean();
 *   weight.assign(weight.value.sub(grad(loss, weight.value).mul(rate)));
 *   return loss;
 * });
 * const loss = await step(batch, 0.01);
 */
export function compile<A extends readonly Tensor[], R extends CompiledResult>(
  fn: (...inputs: A) => R,
): (...inputs: CompiledInputs<A>) => Promise<R> {
  const traces = new Map<string, Traced<R>>();
  return async (...inputs) => {
    const given = inputs as readonly TensorOrNumber[];
    const key = given
      .map((input) => (input instanceof Tensor ? `${input.dtype}[${input.shape}]` : typeof input))
      .join();
    const traced = traces.get(key) ?? trace(fn, given);
    traces.set(key, traced);
    const leaves = await traced.program.run({
      numbers: given.filter((input) => typeof input === 'number'),
      inputs: given.filter((input) => input instanceof Tensor).map(({ node }) => node),
    });
    return traced.rebuild(leaves);
  };
}

function trace<A extends readonly Tensor[], R extends CompiledResult>(
  fn: (...inputs: A) => R,
  given: readonly TensorOrNumber[],
): Traced<R> {
  const odd = given.find((input) => !(input instanceof Tensor) && typeof input !== 'number');
  if (odd !== undefined) throw new Error(`compile: inputs must be tensors or numbers, got ${typeof odd}`);
  let rebuild: Traced<R>['rebuild'] = () => undefined as R;
  const program = CompiledProgram.trace({
    argumentCount: given.filter((input) => typeof input === 'number').length,
    tensorInputs: given.filter((input) => input instanceof Tensor).map(({ shape, dtype }) => ({ shape, dtype })),
    build: ({ numbers, inputs }) => {
      const [scalars, tensors] = [[...numbers], [...inputs]];
      const nodes = given.map((input) => (typeof input === 'number' ? scalars : tensors).shift() as Node);
      const result = fn(...(nodes.map((node) => new Tensor<DType>(node)) as unknown as A));
      const parts = partsOf(result);
      rebuild = (leaves) => parts.rebuild(leaves.map((leaf) => new Tensor(leaf))) as R;
      return parts.tensors.map(({ node }) => node);
    },
  });
  return { program, rebuild };
}

/** The tensors in a function's result, and the way back. */
function partsOf(result: CompiledResult): {
  tensors: readonly Tensor[];
  rebuild: (tensors: readonly Tensor[]) => CompiledResult;
} {
  if (result === undefined) return { tensors: [], rebuild: () => undefined };
  if (result instanceof Tensor) return { tensors: [result], rebuild: ([only]) => only as Tensor };
  if (result instanceof Promise) {
    result.catch(() => undefined);
    throw new Error('compile: the function is asynchronous. Write it without await, and read its results outside');
  }
  const names = Object.keys(result ?? {});
  const tensors: unknown[] = Object.values(result ?? {});
  if (typeof result !== 'object' || result === null || !tensors.every((value) => value instanceof Tensor)) {
    throw new Error('compile: the function must give a tensor, a list or a record of tensors, or nothing');
  }
  if (Array.isArray(result)) return { tensors, rebuild: (list) => [...list] };
  return { tensors, rebuild: (list) => Object.fromEntries(names.map((name, i) => [name, list[i] as Tensor])) };
}
