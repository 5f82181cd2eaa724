import type { Node } from '../graph/node.ts';
import { CompiledProgram } from '../runtime/compile.ts';
import { Tensor } from './tensor.ts';
import { type Flattened, flatten } from './tree.ts';

/** What a compiled function may give: a tensor, lists and records of them, or nothing but assignments. */
// biome-ignore lint/suspicious/noConfusingVoidType: functions without a result are welcome
export type CompiledResult = Tensor | CompiledResults | null | undefined | void;
type CompiledResults = readonly CompiledResult[] | { readonly [name: string]: CompiledResult };

/** What a call gives for what the function takes: numbers may stand for scalars. */
export type CompiledInput<T> = T extends Tensor | number
  ? T | number
  : T extends object
    ? { [K in keyof T]: CompiledInput<T[K]> }
    : T;
/** What a call gives for all that the function takes. */
export type CompiledInputs<A extends readonly unknown[]> = { [K in keyof A]: CompiledInput<A[K]> };

/** How {@link compile} takes what it is called with. */
export interface CompileOptions {
  /** In which the numbers of a call arrive. @defaultValue 'float32' */
  readonly numbers?: 'float32' | 'float64';
}

/** A traced function and how its results are put together. */
interface Traced {
  readonly program: CompiledProgram;
  readonly rebuild: (leaves: readonly Node[]) => unknown;
}

/**
 * Traces a function once for each combination of shapes and dtypes, then replays it without building graphs. It takes
 * tensors and numbers, also in lists and plain objects. Numbers given in a call arrive as scalars and may change from call
 * to call; numbers that the function takes from around it are frozen. Assignments to states and random draws inside happen
 * anew at each call. Results stay on the device until they are disposed; small ones need not be.
 *
 * @throws from the first call, when the function is asynchronous, reads values, or gives something that holds no tensors.
 * @example
 * using weight = new State(new Generator(1).normal([2, 3]), { path: 'weight' });
 * const step = compile((x: Tensor, rate: Tensor) => {
 *   const loss = x.matmul(weight.value).square().mean();
 *   weight.assign(weight.value.sub(grad(loss, weight.value).mul(rate)));
 *   return loss;
 * });
 * using loss = await step(ones([8, 2]), 0.01);
 * console.log(await loss.item());
 */
export function compile<A extends readonly unknown[], R extends CompiledResult>(
  fn: (...inputs: A) => R,
  options: CompileOptions = {},
): (...inputs: CompiledInputs<A>) => Promise<R> {
  const traces = new Map<string, Traced>();
  return async (...inputs) => {
    const given = flatten(inputs, (odd) => {
      return new Error(
        `compile: inputs must be tensors or numbers, or lists and plain objects of them, got ${typeof odd}`,
      );
    });
    let traced = traces.get(given.form);
    if (traced === undefined) {
      traced = trace(fn, given, options);
      traces.set(given.form, traced);
    }
    const leaves = await traced.program.run({
      numbers: given.leaves.filter((leaf) => typeof leaf === 'number'),
      inputs: given.leaves.filter((leaf) => typeof leaf !== 'number').map(({ node }) => node),
    });
    return traced.rebuild(leaves) as R;
  };
}

function trace<A extends readonly unknown[]>(
  fn: (...inputs: A) => CompiledResult,
  { leaves, rebuild: rebuildInputs }: Flattened,
  { numbers: dtype = 'float32' }: CompileOptions,
): Traced {
  let rebuild: Traced['rebuild'] = () => undefined;
  const program = CompiledProgram.trace({
    argumentCount: leaves.filter((leaf) => typeof leaf === 'number').length,
    argumentDType: dtype,
    tensorInputs: leaves.filter((leaf) => typeof leaf !== 'number').map(({ shape, dtype }) => ({ shape, dtype })),
    build: ({ numbers, inputs }) => {
      const [scalars, tensors] = [numbers.values(), inputs.values()];
      const traced = leaves.map((leaf) => {
        return new Tensor((typeof leaf === 'number' ? scalars : tensors).next().value as Node);
      });
      const result = fn(...(rebuildInputs(traced) as A));
      const parts = flattenResult(result);
      rebuild = (nodes) => parts.rebuild(nodes.map((node) => new Tensor(node)));
      return parts.leaves.map((leaf) => (leaf as Tensor).node);
    },
  });
  return { program, rebuild };
}

function flattenResult(result: CompiledResult): Flattened {
  if (result instanceof Promise) {
    result.catch(() => undefined);
    throw new Error('compile: the function is asynchronous. Write it without await, and read its results outside');
  }
  const complaint = new Error('compile: the function must give a tensor, a list or a record of tensors, or nothing');
  const parts = flatten(result, () => complaint);
  if (parts.leaves.some((leaf) => typeof leaf === 'number')) throw complaint;
  return parts;
}
