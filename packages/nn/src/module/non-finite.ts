import { stack, Tensor } from '@evenkeel/tensor';
import { isFiniteValue } from './finite.ts';
import type { Module } from './module.ts';
import { className, describe, type ForwardEvent, withProbe } from './scope.ts';

/** Where values stopped being finite. */
export interface NonFinite {
  /** Of the first module whose output has NaN or infinities: `Mlp.hidden`. */
  readonly path: string;
  readonly module: Module;
  /** Whether its inputs had them already: the fault then lies in the data or in code between modules. */
  readonly fromInput: boolean;
  /** The module's own Parameters and Persistents that hold NaN or infinities. */
  readonly states: readonly string[];
}

/**
 * Runs `body`, which calls `model`, again and finds the first module whose output holds NaN or an infinity;
 * children come before parents, so it is the innermost one. Reads every activation once: for a diagnosis, not a loop.
 *
 * @returns undefined when every output is finite.
 *
 * @example
 * ```ts
 * const model = new Sequential(new Linear(2, 8), new ReLU(), new Linear(8, 1));
 * model.parameters()[2]?.assign(full([1, 8], Number.NaN));
 * const culprit = await findNaN(model, () => model.call(zeros([4, 2])));
 * culprit?.path; // 'Sequential.2'
 * ```
 */
export async function findNaN(model: Module, body: () => unknown): Promise<NonFinite | undefined> {
  const members = new Set([...model.namedModules()].map(([, module]) => module));
  const events: ForwardEvent[] = [];
  withProbe({ onForward: (event) => void (members.has(event.module) && events.push(event)) }, body);
  const bad = await anyNonFinite(events.map((event) => floatTensors(event.output)));
  const first = events[bad.indexOf(true)];
  if (first === undefined) return undefined;
  const states = ownStates(first.module);
  const [inputs, ...held] = await anyNonFinite([
    floatTensors(first.inputs),
    ...states.map(([, value]) => floatTensors(value)),
  ]);
  return {
    path: first.path,
    module: first.module,
    fromInput: inputs as boolean,
    states: states.filter((_, index) => held[index]).map(([name]) => name),
  };
}

/** What {@link checkFinite} may rerun to find the fault. */
export interface CheckFiniteOptions {
  readonly model: Module;
  /** Computes the loss again with the model's current values, on the same data. */
  readonly rerun: () => unknown;
}

/**
 * The value of a scalar loss.
 *
 * @throws one line when it is NaN or infinite; with `options`, it names the first module that produced it.
 *
 * @example
 * ```ts
 * const model = new Linear(2, 1);
 * const lossOf = () => model.call(ones([4, 2])).square().mean();
 * const value = await checkFinite(lossOf(), { model, rerun: lossOf });
 * ```
 */
export async function checkFinite(loss: Tensor | number, options?: CheckFiniteOptions): Promise<number> {
  const value = typeof loss === 'number' ? loss : await loss.item();
  if (Number.isFinite(value)) return value;
  if (options === undefined) {
    throw new Error(`loss: is ${value}. Pass { model, rerun } to checkFinite to find the module that produced it`);
  }
  const culprit = await findNaN(options.model, options.rerun);
  if (culprit === undefined) {
    throw new Error(
      `loss: is ${value}, but every module of ${className(options.model)} gives finite outputs now. Look at what follows the model, or at values drawn anew by the rerun`,
    );
  }
  const place = describe(culprit.module, culprit.path);
  const cause = culprit.fromInput ? 'its inputs were not finite' : 'its inputs were finite';
  const held = culprit.states.length > 0 ? `, its ${culprit.states.join(' and ')} not` : '';
  throw new Error(
    `loss: is ${value}, first non-finite output in ${place}; ${cause}${held}. ${
      culprit.fromInput ? 'Check the data' : 'Lower the learning rate, or sanitize the gradients'
    }`,
  );
}

function ownStates(module: Module): [string, Tensor][] {
  return [...module.stateDict()].filter(([name]) => !name.includes('.'));
}

/** Tensors of float dtype in a value made of arrays and records. */
function floatTensors(value: unknown): Tensor[] {
  if (value instanceof Tensor) return value.dtype.startsWith('float') ? [value] : [];
  if (Array.isArray(value)) return value.flatMap(floatTensors);
  if (value instanceof Map) return [...value.values()].flatMap(floatTensors);
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.values(value).flatMap(floatTensors);
  }
  return [];
}

/** Which groups hold a NaN or an infinity; one read for all. */
async function anyNonFinite(groups: readonly (readonly Tensor[])[]): Promise<boolean[]> {
  const flags: { group: number; flag: Tensor }[] = [];
  groups.forEach((tensors, group) => {
    for (const x of tensors) {
      if (x.size > 0) flags.push({ group, flag: isFiniteValue(x).logicalNot().any().cast('int32') });
    }
  });
  const found = groups.map(() => false);
  if (flags.length === 0) return found;
  const values = await stack(
    flags.map(({ flag }) => flag),
    0,
  ).data();
  flags.forEach(({ group }, index) => {
    if (values[index] !== 0) found[group] = true;
  });
  return found;
}
